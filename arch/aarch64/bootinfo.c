/*
 * aarch64: reads the device tree into boot_info: memory, reservations, and from /chosen the command line and the archives. Where UEFI
 * started us, memory comes from its map instead. Runs on the early tables; what it adds to memory it maps there.
 *
 * Under firmware that describes the machine by ACPI the boot loader's tree has /chosen alone: then
 * the tree with the devices is written from the tables.
 */
#include <arch/percpu.h>

#include "arch/aarch64/platform/platform.h"
#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/lib/string.h"

#define TREE_MAX 0x200000u		/* the boot protocol's limit */

static void add_memory(uint64_t start, uint64_t size)
{
	uint64_t end;

	if (!size || __builtin_add_overflow(start, size, &end) || start >= KERNEL_DIRECT_SIZE)
		return;
	end = MIN(end, KERNEL_DIRECT_SIZE);
	boot_add_range(start, end, BOOT_RAM);
	mmu_early_map(start, end, false);
}

static void reserve(uint64_t start, uint64_t end)
{
	boot_add_range(ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE), BOOT_RESERVED);
}

static uint64_t number_of(const struct fdt_node *n, const char *name)
{
	uint32_t length;
	const void *p = fdt_property(n, name, &length);

	if (!p || length < 4)
		return 0;
	return length >= 8 ? be64(p) : be32(p);
}

static void read_chosen(const struct fdt_node *n)
{
	struct boot_info *b = &boot_info;
	uint64_t start = number_of(n, "linux,initrd-start"), end = number_of(n, "linux,initrd-end");
	uint32_t length;
	const char *text = fdt_property(n, "bootargs", &length);

	if (text && length && !b->cmdline[0]) {
		size_t used = strnlen(text, length);

		if (used >= sizeof(b->cmdline)) {
			used = sizeof(b->cmdline) - 1;
			log_warn("boot loader: command line cut after %zu bytes", used);
		}
		memcpy(b->cmdline, text, used);
		b->cmdline[used] = '\0';
	}
	if (end > start)
		boot_add_archive(start, end - start);
}

/* Does the tree have an interrupt controller? */
static bool names_devices(void)
{
	struct fdt_node n = { 0 };

	while (fdt_next(&n))
		if (fdt_property(&n, "interrupt-controller", NULL))
			return true;
	return false;
}

void bootinfo_read(uint64_t device_tree)
{
	struct fdt_node n = { 0 };
	bool by_efi = efi_read_handover();
	unsigned int memories = 0;

	if (!device_tree || (device_tree & 7) || device_tree >= KERNEL_DIRECT_SIZE - TREE_MAX ||
	    !fdt_start(phys_to_virt(device_tree), TREE_MAX))
		panic("no device tree at %#lx", device_tree);
	pl011_find();
	str_copy(boot_info.loader, by_efi ? "UEFI" : "device tree", sizeof(boot_info.loader));
	boot_info.device_tree = device_tree;
	while (fdt_next(&n)) {
		uint32_t length;
		const char *type = fdt_property(&n, "device_type", &length);
		uint64_t start, size;

		if (n.depth == 1 && !strcmp(n.name, "chosen"))
			read_chosen(&n);
		if (by_efi || !type || length != 7 || memcmp(type, "memory", 7) || !fdt_available(&n))
			continue;
		for (unsigned int i = 0; fdt_reg(&n, i, &start, &size); i++) {
			add_memory(start, size);
			memories++;
		}
	}
	if (!memories && !by_efi)
		panic("the device tree tells of no memory");
	fdt_reserved(reserve);
	boot_reserve(ALIGN_DOWN(device_tree, PAGE_SIZE), ALIGN_UP(device_tree + fdt_size(), PAGE_SIZE));
	if (by_efi && !names_devices()) {
		if (!acpi_make_tree(efi_acpi_tables(), &boot_info.device_tree))
			panic("neither a device tree nor ACPI names an interrupt controller");
		str_copy(boot_info.loader, "UEFI with ACPI", sizeof(boot_info.loader));
		pl011_find();
	}
}
