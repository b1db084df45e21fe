/*
 * aarch64: machines that describe themselves by ACPI. Its static tables (MADT, GTDT, SPCR, FADT)
 * say what the port needs; from them a small device tree is written, which the drivers read as any
 * other.
 *
 * Runs once on the boot CPU, on the early tables, after all of memory is known and reserved. Values
 * are checked where they are used: by the readers of the tree.
 */
#include "platform.h"

#include <arch/percpu.h>

#include "core/boot/acpi.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"

#define TREE_HEAD 40u
#define CPUS_MAX  CPU_MAX
#define REGIONS_MAX 4u		/* as many as gic.c takes */
#define TREE_ROOM (8192u + CPUS_MAX * 96u)
#define REDISTRIBUTOR_SIZE 0x20000u
#define PSCI_COMPLIANT 1u
#define PSCI_BY_HVC 2u

/* What the tables said. */
static struct {
	uint64_t mpidr[CPUS_MAX];
	unsigned int cpus, left_out;
	uint64_t distributor, cpu_interface;
	unsigned int version;		/* of the GIC; 0: not said */
	struct { uint64_t base, size; } regions[REGIONS_MAX];
	unsigned int region_count;
	uint32_t timers[4];		/* secure, EL1, virtual, EL2 */
	uint64_t uart;
	uint32_t uart_line;
	unsigned int psci;		/* PSCI_* */
} said;

/* Names of properties, as the tree's block of strings. */
static const char names[] =
	"#address-cells\0#size-cells\0compatible\0reg\0device_type\0method\0interrupts\0"
	"#redistributor-regions\0";

static char *tree;
static uint32_t used;			/* bytes of it */

static const void *map(uint64_t phys, size_t size)
{
	if (phys >= KERNEL_DIRECT_SIZE || size > KERNEL_DIRECT_SIZE - phys)
		return NULL;
	mmu_early_map(ALIGN_DOWN(phys, PAGE_SIZE), ALIGN_UP(phys + size, PAGE_SIZE), false);
	return phys_to_virt(phys);
}

static void unmap(const void *p, size_t size)
{
	(void)p;
	(void)size;
}

static const struct acpi_access access = { map, unmap };

static void add_region(uint64_t base, uint64_t size)
{
	unsigned int n = said.region_count;

	if (!base || !size)
		return;
	if (n && said.regions[n - 1].base + said.regions[n - 1].size == base) {
		said.regions[n - 1].size += size;
	} else if (n < REGIONS_MAX) {
		said.regions[n].base = base;
		said.regions[n].size = size;
		said.region_count++;
	}
}

/* A processor: usable when it is enabled (or can be), known by its affinity. */
static void add_cpu(const uint8_t *e)
{
	if (!(acpi_get32(e + 12) & 1))
		return;
	if (acpi_get64(e + 32))
		said.cpu_interface = acpi_get64(e + 32);
	if (said.cpus < CPUS_MAX)
		said.mpidr[said.cpus++] = acpi_get64(e + 68);
	else
		said.left_out++;
}

static void read_madt_structure(const uint8_t *e)
{
	if (e[0] == 0x0b && e[1] >= 76) {
		add_cpu(e);
	} else if (e[0] == 0x0c && e[1] >= 24) {
		said.distributor = acpi_get64(e + 8);
		said.version = e[20];
	} else if (e[0] == 0x0e && e[1] >= 16) {
		add_region(acpi_get64(e + 4), acpi_get32(e + 12));
	}
}

/* Machines without regions of redistributors name each processor's own. */
static void read_own_redistributor(const uint8_t *e)
{
	if (e[0] == 0x0b && e[1] >= 76 && (acpi_get32(e + 12) & 1))
		add_region(acpi_get64(e + 60), REDISTRIBUTOR_SIZE);
}

static void read_table(const struct acpi_header *h)
{
	const uint8_t *p = (const uint8_t *)h;

	if (!memcmp(h->signature, "APIC", 4)) {
		acpi_walk_madt(h, read_madt_structure);
		if (!said.region_count)
			acpi_walk_madt(h, read_own_redistributor);
	} else if (!memcmp(h->signature, "GTDT", 4) && h->length >= 80) {
		for (unsigned int i = 0; i < 4; i++)
			said.timers[i] = acpi_get32(p + 48 + 8 * i);
	} else if (!memcmp(h->signature, "SPCR", 4) && h->length >= 58) {
		/* A PL011, or what has its registers, in memory. */
		if ((p[36] == 3 || p[36] == 0x0d || p[36] == 0x0e) && p[40] == 0) {
			said.uart = acpi_get64(p + 44);
			said.uart_line = acpi_get32(p + 54);
		}
	} else if (!memcmp(h->signature, "FACP", 4) && h->length >= 131) {
		said.psci = p[129];
	}
}

static void put32(uint32_t v)
{
	if (used + 4 > TREE_ROOM)
		return;		/* cut off: the reader sees a tree that ends early */
	tree[used++] = (char)(v >> 24);
	tree[used++] = (char)(v >> 16);
	tree[used++] = (char)(v >> 8);
	tree[used++] = (char)v;
}

static void put_bytes(const char *text, uint32_t n)
{
	if (used + n + 4 > TREE_ROOM)
		return;
	memcpy(tree + used, text, n);
	used = ALIGN_UP(used + n, 4u);
}

static void begin(const char *name)
{
	put32(1);
	put_bytes(name, (uint32_t)strlen(name) + 1);
}

static void end(void) { put32(2); }

/* The head of a property with so many bytes. */
static void property(const char *name, uint32_t size)
{
	const char *at = names;

	while (*at && strcmp(at, name))
		at += strlen(at) + 1;
	put32(3);
	put32(size);
	put32((uint32_t)(at - names));
}

static void put_text(const char *name, const char *text)
{
	uint32_t n = (uint32_t)strlen(text) + 1;

	property(name, n);
	put_bytes(text, n);
}

static void put_cell(const char *name, uint32_t v)
{
	property(name, 4);
	put32(v);
}

static void put64(uint64_t v)
{
	put32((uint32_t)(v >> 32));
	put32((uint32_t)v);
}

static void write_gic(void)
{
	bool v3 = said.version ? said.version >= 3 : said.region_count > 0;

	begin("intc");
	put_text("compatible", v3 ? "arm,gic-v3" : "arm,cortex-a15-gic");
	if (v3) {
		put_cell("#redistributor-regions", said.region_count);
		property("reg", 16 * (1 + said.region_count));
		put64(said.distributor);
		put64(0x10000);
		for (unsigned int i = 0; i < said.region_count; i++) {
			put64(said.regions[i].base);
			put64(said.regions[i].size);
		}
	} else {
		property("reg", 32);
		put64(said.distributor);
		put64(0x1000);
		put64(said.cpu_interface);
		put64(0x2000);
	}
	end();
}

static void write_devices(void)
{
	begin("timer");
	put_text("compatible", "arm,armv8-timer");
	property("interrupts", 48);
	for (unsigned int i = 0; i < 4; i++) {
		put32(1);
		put32(said.timers[i] - 16);
		put32(4);
	}
	end();
	if (said.psci & PSCI_COMPLIANT) {
		begin("psci");
		put_text("compatible", "arm,psci-1.0");
		put_text("method", said.psci & PSCI_BY_HVC ? "hvc" : "smc");
		end();
	}
	if (said.uart) {
		begin("pl011");
		put_text("compatible", "arm,pl011");
		property("reg", 16);
		put64(said.uart);
		put64(0x1000);
		property("interrupts", 12);
		put32(0);
		put32(said.uart_line - 32);
		put32(4);
		end();
	}
}

static void write_head(void)
{
	uint32_t strings = TREE_HEAD + 16;
	uint32_t structure = ALIGN_UP(strings + (uint32_t)sizeof(names), 4u);
	const uint32_t head[] = {
		0xd00dfeed, used, structure, strings, TREE_HEAD, 17, 16, 0, sizeof(names),
		used - structure,
	};

	memcpy(tree + strings, names, sizeof(names));
	used = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(head); i++)
		put32(head[i]);
}

bool acpi_make_tree(uint64_t rsdp, uint64_t *where)
{
	if (!acpi_walk(&access, rsdp, read_table) || !said.distributor || !said.cpus)
		return false;
	if (said.left_out)
		log_warn("acpi: %u CPUs are not used: there are more than %u", said.left_out,
			 CPUS_MAX);
	*where = boot_alloc(TREE_ROOM, 0);
	tree = phys_to_virt(*where);
	used = ALIGN_UP(TREE_HEAD + 16 + (uint32_t)sizeof(names), 4u);
	begin("");
	put_cell("#address-cells", 2);
	put_cell("#size-cells", 2);
	write_gic();
	write_devices();
	for (unsigned int i = 0; i < said.cpus; i++) {
		begin("cpu");
		put_text("device_type", "cpu");
		property("reg", 8);
		put64(said.mpidr[i]);
		end();
	}
	end();
	put32(9);
	write_head();
	return fdt_start(tree, TREE_ROOM);
}
