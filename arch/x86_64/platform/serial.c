/*
 * x86_64: COM1 as an early console: polled output until the driver of the tty module takes the device over, and in a panic. The
 * device is probed once by its scratch register and loopback; without it output is dropped. Every wait is bounded.
 */
#include "platform.h"

#include <arch/port.h>
#include <arch/x86.h>

#define COM1 0x3f8
#define REG_DATA    0
#define REG_IER     1
#define REG_FCR     2
#define REG_LCR     3
#define REG_MCR     4
#define REG_LSR     5
#define REG_SCRATCH 7
#define LSR_THRE    0x20
#define SPINS       20000u		/* reads of the status, about 1 us each on real hardware: 2 bytes' time at 1200 baud */

static enum { UNKNOWN, ABSENT, PRESENT } state;

static bool probe(void)
{
	uint8_t got = 0;

	port_out8(COM1 + REG_SCRATCH, 0x5a);
	if (port_in8(COM1 + REG_SCRATCH) != 0x5a)
		return false;
	port_out8(COM1 + REG_IER, 0);
	port_out8(COM1 + REG_LCR, 0x80);
	port_out8(COM1 + REG_DATA, 1);		/* 115200 */
	port_out8(COM1 + REG_IER, 0);
	port_out8(COM1 + REG_LCR, 3);
	port_out8(COM1 + REG_FCR, 7);
	port_out8(COM1 + REG_MCR, 0x1e);	/* loopback */
	port_out8(COM1 + REG_DATA, 0xae);
	for (unsigned int i = 0; i < 1000 && got != 0xae; i++)
		if (port_in8(COM1 + REG_LSR) & 1)
			got = port_in8(COM1 + REG_DATA);
	port_out8(COM1 + REG_MCR, 0x0b);
	return got == 0xae;
}

static void put(char c)
{
	for (unsigned int i = 0; i < SPINS && !(port_in8(COM1 + REG_LSR) & LSR_THRE); i++)
		__asm__ volatile("pause");
	port_out8(COM1 + REG_DATA, (uint8_t)c);
}

void serial_write(const char *text, size_t len)
{
	if (state == UNKNOWN)
		state = probe() ? PRESENT : ABSENT;
	if (state != PRESENT)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			put('\r');
		put(text[i]);
	}
}
