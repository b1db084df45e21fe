/*
 * x86_64, private to the port: the devices of a PC that the kernel itself needs.
 */
#pragma once

#include "core/lib/bits.h"
#include "core/lib/types.h"

struct trap_frame;

/*
 * umip.c: a general protection fault of user code. True: it was one of the instructions that UMIP forbids, and is done. False: to be
 * reported as *info says, which may have become a page fault of its operand.
 */
struct trap_info;
bool umip_emulate(struct trap_frame *f, struct trap_info *info);

/* acpi.c: reads the static tables. Without any, says so and leaves `present` false. Needs device_map. */
struct acpi_override {
	uint8_t irq;
	uint32_t gsi;
	bool active_low, level;
};
#define ACPI_IOAPIC_MAX 16
struct acpi_info {
	bool present;
	uint64_t lapic_address;		/* 0: not told */
	bool has_8259;
	unsigned int cpu_count;
	uint32_t cpu_ids[CPU_MAX];	/* APIC ids of enabled CPUs, as found */
	unsigned int ioapic_count;
	struct { uint64_t address; uint32_t gsi_base; } ioapics[ACPI_IOAPIC_MAX];
	struct acpi_override overrides[16];
	unsigned int override_count;
	uint64_t hpet_address;
	uint32_t pm_timer_port;
	uint64_t pm_timer_mmio;
	bool pm_timer_32;
	bool hw_reduced;
	uint8_t rtc_century;
	bool no_rtc, no_i8042;
	uint32_t pm1a_cnt, pm1b_cnt;
	uint32_t smi_command;
	uint8_t acpi_enable;
	bool has_s5;
	uint8_t s5_a, s5_b;
	uint8_t reset_space, reset_value;	/* space 0 memory, 1 port, 0xff none */
	uint64_t reset_address;
	void *reset_mmio;
	void *sleep_mmio;		/* hw-reduced: sleep control register, memory */
	uint32_t sleep_port;
};
extern struct acpi_info acpi_info;
void acpi_start(void);

/* apic.c: this CPU's local APIC. */
void apic_start(void);			/* boot CPU: finds and maps it */
void apic_cpu_start(void);		/* each CPU */
bool apic_present(void);
uint32_t apic_id(void);
void apic_eoi(void);
/* Sends a vector, an NMI, INIT or SIPI to one CPU. Any context. Bounded wait. */
void apic_send(uint32_t id, uint8_t vector);
void apic_send_nmi(uint32_t id);
void apic_send_init(uint32_t id);
void apic_send_startup(uint32_t id, uint8_t page);
/* For the calibration: starts the timer counting down from all ones, masked; reads it. */
void apic_timer_count_start(void);
uint32_t apic_timer_count(void);
void apic_timer_set_hz(uint64_t hz);
void apic_error(void);

/* ioapic.c */
void ioapic_start(void);
/* The line whose vector came, or -1. */
int ioapic_line_of_vector(unsigned int vector);

/* calibrate.c: frequencies of the TSC and the APIC timer against whatever the machine has. */
struct calibration {
	uint64_t tsc_hz, apic_hz;	/* apic_hz 0: not measured */
};
void calibrate(struct calibration *out);
uint64_t clock_source_hz(void);
void clock_source_set_hz(uint64_t hz);

/* rtc.c: ns since 1970; 0 if there is no plausible clock. */
int64_t rtc_read(void);

/* serial.c: COM1 before any driver. */
void serial_write(const char *text, size_t len);
