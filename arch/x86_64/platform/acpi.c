/*
 * x86_64: what the static ACPI tables say, read once at boot into acpi_info. There is no AML
 * interpreter: the sleep type of power-off is found by its name in the DSDT.
 */
#include "platform.h"

#include "core/boot/acpi.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/vmap.h"

struct address {
	uint8_t space, bits, offset, access;
	uint64_t address;
} __packed;

struct fadt {
	struct acpi_header h;
	uint32_t facs, dsdt;
	uint8_t reserved0, profile;
	uint16_t sci;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_timer, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_len, pm_timer_len, gpe0_len, gpe1_len, gpe1_base, cstate;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_timer, x_gpe0, x_gpe1;
	struct address sleep_control, sleep_status;
} __packed;
#define HAS(f, field) ((f)->h.length >= offsetof(struct fadt, field) + sizeof((f)->field))
#define FADT_RESET      (1u << 10)
#define FADT_TIMER_32   (1u << 8)
#define FADT_HW_REDUCED (1u << 20)
#define BOOT_ARCH_I8042  (1u << 1)
#define BOOT_ARCH_NO_RTC (1u << 5)

struct acpi_info acpi_info = { .reset_space = 0xff };

static unsigned int cpus_left_out;

static const void *map(uint64_t phys, size_t size)
{
	return device_map(phys, size, MMU_READ);
}

static void unmap(const void *p, size_t size)
{
	device_unmap((void *)p, size);
}

static const struct acpi_access access = { map, unmap };

static void add_cpu(uint32_t id, uint32_t flags)
{
	struct acpi_info *a = &acpi_info;

	if (!(flags & 1))
		return;
	for (unsigned int i = 0; i < a->cpu_count; i++)
		if (a->cpu_ids[i] == id)
			return;
	if (a->cpu_count == CPU_MAX) {
		cpus_left_out++;
		return;
	}
	a->cpu_ids[a->cpu_count++] = id;
}

static void add_override(const uint8_t *e)
{
	struct acpi_info *a = &acpi_info;
	unsigned int flags = e[8] | (unsigned int)e[9] << 8;

	if (a->override_count == ARRAY_SIZE(a->overrides))
		return;
	/* Flags 0 mean "as the bus": ISA is active high and edge-triggered. */
	a->overrides[a->override_count++] = (struct acpi_override){
		.irq = e[3], .gsi = acpi_get32(e + 4), .active_low = (flags & 3) == 3,
		.level = (flags >> 2 & 3) == 3,
	};
}

static void read_madt_structure(const uint8_t *e)
{
	struct acpi_info *a = &acpi_info;

	if (e[0] == 0 && e[1] >= 8) {
		add_cpu(e[3], acpi_get32(e + 4));
	} else if (e[0] == 9 && e[1] >= 16) {
		add_cpu(acpi_get32(e + 4), acpi_get32(e + 8));
	} else if (e[0] == 1 && e[1] >= 12 && a->ioapic_count < ACPI_IOAPIC_MAX) {
		a->ioapics[a->ioapic_count].address = acpi_get32(e + 4);
		a->ioapics[a->ioapic_count++].gsi_base = acpi_get32(e + 8);
	} else if (e[0] == 2 && e[1] >= 10) {
		add_override(e);
	} else if (e[0] == 5 && e[1] >= 12) {
		a->lapic_address = acpi_get64(e + 4);
	}
}

static void read_madt(const struct acpi_header *h)
{
	const uint8_t *p = (const uint8_t *)h;

	if (h->length < 44)
		return;
	acpi_info.lapic_address = acpi_get32(p + 36);
	acpi_info.has_8259 = p[40] & 1;
	acpi_walk_madt(h, read_madt_structure);
}

static void read_hpet(const struct acpi_header *h)
{
	const uint8_t *p = (const uint8_t *)h;

	if (h->length >= 56 && p[40] == 0)
		acpi_info.hpet_address = acpi_get64(p + 44);
}

static void read_dsdt(uint64_t phys)
{
	const struct acpi_header *h = acpi_table_map(&access, phys);
	struct acpi_info *a = &acpi_info;

	if (!h)
		return;
	if (memcmp(h->signature, "DSDT", 4) == 0)
		a->has_s5 = acpi_find_s5((const uint8_t *)(h + 1), (const uint8_t *)h + h->length,
					 &a->s5_a, &a->s5_b);
	acpi_table_unmap(&access, h);
}

static void read_pm_timer(const struct fadt *f)
{
	struct acpi_info *a = &acpi_info;

	a->pm_timer_port = f->pm_timer_len ? f->pm_timer : 0;
	if (HAS(f, x_pm_timer) && f->x_pm_timer.address) {
		a->pm_timer_port = f->x_pm_timer.space == 1 ? (uint32_t)f->x_pm_timer.address : 0;
		a->pm_timer_mmio = f->x_pm_timer.space == 0 ? f->x_pm_timer.address : 0;
	}
	if (a->pm_timer_port > 0xffff)
		a->pm_timer_port = 0;
	a->pm_timer_32 = HAS(f, flags) && (f->flags & FADT_TIMER_32);
}

static void read_reset(const struct fadt *f)
{
	struct acpi_info *a = &acpi_info;

	if (!HAS(f, reset_value) || !(f->flags & FADT_RESET) || !f->reset.address)
		return;
	a->reset_space = f->reset.space;
	a->reset_address = f->reset.address;
	a->reset_value = f->reset_value;
	if (f->reset.space == 0)
		a->reset_mmio = device_map(f->reset.address, 1, MMU_READ | MMU_WRITE | MMU_DEVICE);
}

static void read_fadt(const struct acpi_header *h)
{
	const struct fadt *f = (const void *)h;
	struct acpi_info *a = &acpi_info;

	if (!HAS(f, century))
		return;
	a->rtc_century = f->century;
	a->hw_reduced = HAS(f, flags) && (f->flags & FADT_HW_REDUCED);
	if (HAS(f, boot_arch) && h->revision >= 2) {
		a->no_rtc = f->boot_arch & BOOT_ARCH_NO_RTC;
		a->no_i8042 = h->revision >= 3 && !(f->boot_arch & BOOT_ARCH_I8042);
	}
	if (!a->hw_reduced) {
		a->smi_command = f->smi_command;
		a->acpi_enable = f->acpi_enable;
		a->pm1a_cnt = HAS(f, x_pm1a_cnt) && f->x_pm1a_cnt.space == 1 && f->x_pm1a_cnt.address ?
			      (uint32_t)f->x_pm1a_cnt.address : f->pm1a_cnt;
		a->pm1b_cnt = HAS(f, x_pm1b_cnt) && f->x_pm1b_cnt.space == 1 && f->x_pm1b_cnt.address ?
			      (uint32_t)f->x_pm1b_cnt.address : f->pm1b_cnt;
		read_pm_timer(f);
	} else if (HAS(f, sleep_control)) {
		if (f->sleep_control.space == 0 && f->sleep_control.address)
			a->sleep_mmio = device_map(f->sleep_control.address, 1, MMU_READ | MMU_WRITE | MMU_DEVICE);
		else if (f->sleep_control.space == 1)
			a->sleep_port = (uint32_t)f->sleep_control.address;
	}
	read_reset(f);
	read_dsdt(HAS(f, x_dsdt) && f->x_dsdt ? f->x_dsdt : f->dsdt);
}

static void read_table(const struct acpi_header *h)
{
	if (memcmp(h->signature, "APIC", 4) == 0)
		read_madt(h);
	else if (memcmp(h->signature, "FACP", 4) == 0)
		read_fadt(h);
	else if (memcmp(h->signature, "HPET", 4) == 0)
		read_hpet(h);
}

/* Firmware of the BIOS kind leaves the RSDP in the EBDA or below 1 MiB; PVH and multiboot2 normally tell where. */
static uint64_t rsdp_search(void)
{
	const uint8_t *p;
	uint64_t found = 0;

	p = device_map(0xe0000, 0x20000, MMU_READ);
	for (unsigned int at = 0; p && at < 0x20000; at += 16)
		if (memcmp(p + at, "RSD PTR ", 8) == 0 && acpi_checksum_ok(p + at, 20)) {
			found = 0xe0000 + at;
			break;
		}
	if (p)
		device_unmap((void *)p, 0x20000);
	return found;
}

void acpi_start(void)
{
	const char *option = cmdline_value("acpi");
	uint64_t rsdp = boot_info.acpi_rsdp;

	if (option && strcmp(option, "off") == 0) {
		log_notice("acpi: off by command line");
		return;
	}
	if (!rsdp)
		rsdp = rsdp_search();
	if (!acpi_walk(&access, rsdp, read_table)) {
		log_warn("acpi: no tables; one CPU, standard devices");
		return;
	}
	acpi_info.present = true;
	if (cpus_left_out)
		log_warn("acpi: %u CPUs are not used: there are more than %u", cpus_left_out,
			 CPU_MAX);
	log_info("acpi: %u CPUs, %u I/O APICs%s%s%s", acpi_info.cpu_count, acpi_info.ioapic_count,
		 acpi_info.hpet_address ? ", HPET" : "", acpi_info.has_s5 ? ", power-off" : "",
		 acpi_info.hw_reduced ? ", hardware-reduced" : "");
}
