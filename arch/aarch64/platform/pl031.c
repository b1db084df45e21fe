/*
 * aarch64: the PL031 real-time clock: a counter of seconds since 1970. Read once, at boot. Where it is the firmware's, that was asked.
 */
#include "platform.h"

#include "core/arch/mmu.h"
#include "core/mem/vmap.h"
#include "core/time/clock.h"

int64_t rtc_read(void)
{
	struct fdt_node n;
	uint64_t address, size;
	volatile uint32_t *mmio;
	uint32_t seconds;

	if (!fdt_find("arm,pl031", &n) || !fdt_reg(&n, 0, &address, &size))
		return efi_wall_clock();	/* firmware that uses the clock itself hides it */
	mmio = device_map(address, PAGE_SIZE, MMU_READ | MMU_WRITE | MMU_DEVICE);
	if (!mmio)
		return 0;
	seconds = mmio[0];
	device_unmap((void *)mmio, PAGE_SIZE);
	return (int64_t)seconds * (int64_t)NSEC_PER_SEC;
}
