/*
 * x86_64: the static ACPI tables, read once at boot into acpi_info. Tables are mapped while they are read, checked for length and
 * checksum, and never trusted beyond that. There is no AML interpreter: the sleep type of power-off is found by its name in the DSDT.
 */
#include "platform.h"

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/mem/vmap.h"

#define TABLE_MAX (4ul << 20)
#define TABLES_MAX 256u

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t checksum2, reserved[3];
} __packed;

struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], table[8];
	uint32_t oem_revision, creator, creator_revision;
} __packed;

struct address {
	uint8_t space, bits, offset, access;
	uint64_t address;
} __packed;

struct fadt {
	struct header h;
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

static bool checksum_ok(const void *p, size_t n)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
	return sum == 0;
}

/* Maps a table whole; null with a message if it is no table. *mapped is for table_unmap. */
static const struct header *table_map(uint64_t phys)
{
	const struct header *h = device_map(phys, sizeof(*h), MMU_READ);
	uint32_t length;

	if (!h)
		return NULL;
	length = h->length;
	device_unmap((void *)h, sizeof(*h));
	if (length < sizeof(*h) || length > TABLE_MAX) {
		log_warn("acpi: table at %#lx has a length of %u", phys, length);
		return NULL;
	}
	h = device_map(phys, length, MMU_READ);
	if (h && !checksum_ok(h, length)) {
		log_warn("acpi: table %.4s at %#lx has a wrong checksum", h->signature, phys);
		device_unmap((void *)h, length);
		return NULL;
	}
	return h;
}

static void table_unmap(const struct header *h)
{
	device_unmap((void *)h, h->length);
}

static void add_cpu(uint32_t id, uint32_t flags)
{
	struct acpi_info *a = &acpi_info;

	if (!(flags & 1))
		return;
	if (a->cpu_count == CPU_MAX) {
		log_warn("acpi: more than %u CPUs; APIC id %u is not used", CPU_MAX, id);
		return;
	}
	for (unsigned int i = 0; i < a->cpu_count; i++)
		if (a->cpu_ids[i] == id)
			return;
	a->cpu_ids[a->cpu_count++] = id;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static void add_override(const uint8_t *e)
{
	struct acpi_info *a = &acpi_info;
	unsigned int flags = e[8] | (unsigned int)e[9] << 8;

	if (a->override_count == ARRAY_SIZE(a->overrides))
		return;
	/* Flags 0 mean "as the bus": ISA is active high and edge-triggered. */
	a->overrides[a->override_count++] = (struct acpi_override){
		.irq = e[3], .gsi = get32(e + 4), .active_low = (flags & 3) == 3, .level = (flags >> 2 & 3) == 3,
	};
}

static void read_madt(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h, *end = p + h->length;
	struct acpi_info *a = &acpi_info;

	if (h->length < 44)
		return;
	a->lapic_address = get32(p + 36);
	a->has_8259 = p[40] & 1;
	for (const uint8_t *e = p + 44; end - e >= 2 && e[1] >= 2 && e[1] <= end - e; e += e[1]) {
		if (e[0] == 0 && e[1] >= 8) {
			add_cpu(e[3], get32(e + 4));
		} else if (e[0] == 9 && e[1] >= 16) {
			add_cpu(get32(e + 4), get32(e + 8));
		} else if (e[0] == 1 && e[1] >= 12 && a->ioapic_count < ACPI_IOAPIC_MAX) {
			a->ioapics[a->ioapic_count].address = get32(e + 4);
			a->ioapics[a->ioapic_count++].gsi_base = get32(e + 8);
		} else if (e[0] == 2 && e[1] >= 10) {
			add_override(e);
		} else if (e[0] == 5 && e[1] >= 12) {
			a->lapic_address = get64(e + 4);
		}
	}
}

static void read_hpet(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;

	if (h->length >= 56 && p[40] == 0)
		acpi_info.hpet_address = get64(p + 44);
}

/* An integer object of AML: 0 and 1 as opcodes, a byte, a word. */
static bool aml_integer(const uint8_t **p, const uint8_t *end, uint8_t *out)
{
	const uint8_t *s = *p;

	if (end - s < 3)
		return false;
	if (s[0] == 0x0a || s[0] == 0x0b) {
		*out = s[1];
		*p = s + (s[0] == 0x0a ? 2 : 3);
	} else if (s[0] <= 1) {
		*out = s[0];
		*p = s + 1;
	} else {
		return false;
	}
	return true;
}

/* Name(_S5_, Package { a, b, ... }) in bytes: 08 [5c] "_S5_" 12 length count a b */
static void find_s5(const uint8_t *p, const uint8_t *end)
{
	struct acpi_info *a = &acpi_info;

	for (; end - p >= 12; p++) {
		const uint8_t *s = p + 4;

		if (memcmp(p, "_S5_", 4) != 0 || (p[-1] != 0x08 && !(p[-1] == 0x5c && p[-2] == 0x08)) || *s++ != 0x12)
			continue;
		s += (*s >> 6) + 1;		/* bytes of the length */
		s++;				/* number of elements */
		if (s < end && aml_integer(&s, end, &a->s5_a)) {
			if (!aml_integer(&s, end, &a->s5_b))
				a->s5_b = 0;
			a->has_s5 = true;
			return;
		}
	}
}

static void read_dsdt(uint64_t phys)
{
	const struct header *h = phys ? table_map(phys) : NULL;

	if (!h)
		return;
	if (memcmp(h->signature, "DSDT", 4) == 0 && h->length > sizeof(*h) + 16)
		find_s5((const uint8_t *)(h + 1) + 2, (const uint8_t *)h + h->length);
	table_unmap(h);
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

static void read_fadt(const struct header *h)
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

static void read_table(uint64_t phys)
{
	const struct header *h = phys ? table_map(phys) : NULL;

	if (!h)
		return;
	if (memcmp(h->signature, "APIC", 4) == 0)
		read_madt(h);
	else if (memcmp(h->signature, "FACP", 4) == 0)
		read_fadt(h);
	else if (memcmp(h->signature, "HPET", 4) == 0)
		read_hpet(h);
	table_unmap(h);
}

/* Firmware of the BIOS kind leaves the RSDP in the EBDA or below 1 MiB; PVH and multiboot2 normally tell where. */
static uint64_t rsdp_search(void)
{
	const uint8_t *p;
	uint64_t found = 0;

	p = device_map(0xe0000, 0x20000, MMU_READ);
	for (unsigned int at = 0; p && at < 0x20000; at += 16)
		if (memcmp(p + at, "RSD PTR ", 8) == 0 && checksum_ok(p + at, 20)) {
			found = 0xe0000 + at;
			break;
		}
	if (p)
		device_unmap((void *)p, 0x20000);
	return found;
}

static bool read_rsdp(uint64_t phys, uint64_t *root, unsigned int *entry_size)
{
	const struct rsdp *r = device_map(phys, sizeof(*r), MMU_READ);
	bool ok;

	if (!r)
		return false;
	ok = memcmp(r->signature, "RSD PTR ", 8) == 0 && checksum_ok(r, 20);
	if (ok) {
		bool extended = r->revision >= 2 && r->length >= sizeof(*r) && checksum_ok(r, sizeof(*r)) && r->xsdt;

		*root = extended ? r->xsdt : r->rsdt;
		*entry_size = extended ? 8 : 4;
	}
	device_unmap((void *)r, sizeof(*r));
	return ok && *root;
}

void acpi_start(void)
{
	const char *option = cmdline_value("acpi");
	const struct header *h;
	unsigned int entry_size, count;
	uint64_t rsdp = boot_info.acpi_rsdp, root;

	if (option && strcmp(option, "off") == 0) {
		log_notice("acpi: off by command line");
		return;
	}
	if (!rsdp)
		rsdp = rsdp_search();
	if (!rsdp || !read_rsdp(rsdp, &root, &entry_size)) {
		log_warn("acpi: no tables; one CPU, standard devices");
		return;
	}
	h = table_map(root);
	if (!h)
		return;
	acpi_info.present = true;
	count = MIN((unsigned int)((h->length - sizeof(*h)) / entry_size), TABLES_MAX);
	for (unsigned int i = 0; i < count; i++) {
		const uint8_t *e = (const uint8_t *)(h + 1) + (size_t)i * entry_size;

		read_table(entry_size == 8 ? get64(e) : get32(e));
	}
	table_unmap(h);
	log_info("acpi: %u CPUs, %u I/O APICs%s%s%s", acpi_info.cpu_count, acpi_info.ioapic_count,
		 acpi_info.hpet_address ? ", HPET" : "", acpi_info.has_s5 ? ", power-off" : "",
		 acpi_info.hw_reduced ? ", hardware-reduced" : "");
}
