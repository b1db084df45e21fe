/*
 * /proc/sys/kernel/hostname and domainname: they are set by a write, and poll tells of a change. No state here.
 */
#include "modules/linux/names.h"
#include "modules/procfs/internal.h"

static int show_name(struct text_out *t, void *arg)
{
	char name[65];

	linux_name_get((enum linux_name)(uintptr_t)arg, name, sizeof(name));
	text_printf(t, "%s\n", name);
	return 0;
}

/* Up to the end of the line. */
static long store_name(const char *text, size_t n, void *arg)
{
	size_t length = 0;

	while (length < n && text[length] && text[length] != '\n')
		length++;
	linux_name_set((enum linux_name)(uintptr_t)arg, text, length);
	return (long)n;
}

static uint64_t host_changes(void) { return linux_name_changes(LINUX_HOST_NAME); }
static uint64_t domain_changes(void) { return linux_name_changes(LINUX_DOMAIN_NAME); }

static const struct text_file_type host_type = {
	.show = show_name, .store = store_name, .wait = &linux_name_wait[LINUX_HOST_NAME], .generation = host_changes,
};
static const struct text_file_type domain_type = {
	.show = show_name, .store = store_name, .wait = &linux_name_wait[LINUX_DOMAIN_NAME], .generation = domain_changes,
};

int proc_names_init(void)
{
	int error = procfs_add("sys/kernel/hostname", S_IFREG | 0644, &host_type, (void *)LINUX_HOST_NAME);

	return error ? error : procfs_add("sys/kernel/domainname", S_IFREG | 0644, &domain_type, (void *)LINUX_DOMAIN_NAME);
}
