/*
 * x86_64: the keyboard controller with a PS/2 keyboard. All waits are bounded: many machines answer 0xff or nothing. The controller translates to scan
 * code set 1. Lights are set by a little exchange that the interrupt drives: command, acknowledgement, value.
 */
#include "modules/tty/arch/x86_64/pc.h"

#include <arch/port.h>

#include "core/trap/irq.h"
#include "modules/tty/keyboard.h"

#define DATA    0x60
#define STATUS  0x64
#define COMMAND 0x64
#define STATUS_OUTPUT 0x01		/* a byte for us */
#define STATUS_INPUT  0x02		/* it has not read ours yet */
#define STATUS_AUX    0x20
#define CONFIG_IRQ1   0x01
#define CONFIG_IRQ12  0x02
#define CONFIG_NO_KEYBOARD 0x10
#define CONFIG_NO_MOUSE 0x20
#define CONFIG_TRANSLATE 0x40
#define KEYBOARD_IRQ 1
#define ACK 0xfa
#define RESEND 0xfe
#define SET_LIGHTS 0xed
#define ENABLE_SCAN 0xf4

static bool present;
static struct spinlock lights_lock = SPINLOCK_INIT(lights_lock);
static bool lights_pending;
static uint8_t lights;

static bool wait_input(void)
{
	for (unsigned int i = 0; i < 10000; i++) {
		if (!(port_in8(STATUS) & STATUS_INPUT))
			return true;
		port_in8(0x80);		/* about 1 us */
	}
	return false;
}

/* The next byte from the controller, or -1 after `us` microseconds. */
static int wait_output(unsigned int us)
{
	while (us--) {
		if (port_in8(STATUS) & STATUS_OUTPUT)
			return port_in8(DATA);
		port_in8(0x80);
	}
	return -1;
}

static bool command(uint8_t c)
{
	if (!wait_input())
		return false;
	port_out8(COMMAND, c);
	return true;
}

static bool write_data(uint8_t v)
{
	if (!wait_input())
		return false;
	port_out8(DATA, v);
	return true;
}

static void drain(void)
{
	for (unsigned int i = 0; i < 64 && (port_in8(STATUS) & STATUS_OUTPUT); i++) {
		port_in8(DATA);
		port_in8(0x80);
	}
}

void keyboard_lights(unsigned int wanted)
{
	unsigned long flags;

	if (!present)
		return;
	flags = spin_lock_irqsave(&lights_lock);
	lights = (uint8_t)wanted;
	lights_pending = true;
	write_data(SET_LIGHTS);
	spin_unlock_irqrestore(&lights_lock, flags);
}

/* The keyboard took a byte, or did not. */
static void answered(uint8_t how)
{
	unsigned long flags = spin_lock_irqsave(&lights_lock);

	if (how == ACK && lights_pending)
		write_data(lights);
	lights_pending = false;
	spin_unlock_irqrestore(&lights_lock, flags);
}

static void interrupt(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < 16; i++) {
		uint8_t status = port_in8(STATUS), v;

		if (!(status & STATUS_OUTPUT) || status == 0xff)
			return;
		v = port_in8(DATA);
		if (status & STATUS_AUX)
			continue;
		if (v == ACK || v == RESEND) {
			answered(v);
			continue;
		}
		keyboard_scan_code(v);
	}
}

static bool configure(void)
{
	int config;

	if (port_in8(STATUS) == 0xff)
		return false;
	if (!command(0xad) || !command(0xa7))
		return false;
	drain();
	if (!command(0x20))
		return false;
	config = wait_output(50000);
	if (config < 0)
		return false;
	config &= ~(CONFIG_IRQ1 | CONFIG_IRQ12 | CONFIG_NO_KEYBOARD);
	config |= CONFIG_TRANSLATE | CONFIG_NO_MOUSE;
	if (!command(0x60) || !write_data((uint8_t)config) || !command(0xae))
		return false;
	write_data(ENABLE_SCAN);
	for (unsigned int i = 0; i < 4; i++) {
		int v = wait_output(20000);

		if (v < 0 || v == ACK)
			break;
	}
	drain();
	return command(0x60) && write_data((uint8_t)(config | CONFIG_IRQ1));
}

void pc_keyboard_start(void)
{
	int error;

	if (!configure())
		return;
	error = irq_request(KEYBOARD_IRQ, "i8042", interrupt, NULL);
	if (error) {
		log_warn("i8042: no interrupt (error %d)", -error);
		return;
	}
	present = true;
	log_info("i8042: keyboard controller");
	interrupt(NULL);		/* what came meanwhile keeps the line up */
}
