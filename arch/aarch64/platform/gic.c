/*
 * aarch64: the interrupt controller, GICv2 (registers of the CPU interface in memory) or GICv3 (system registers, one
 * redistributor a CPU). Lines are interrupt ids: 0-15 sent by software, 16-31 private to a CPU, the rest shared; those all go to the
 * boot CPU.
 *
 * Stopping the CPUs in a panic is an interrupt of group 0 (FIQ) where the controller lets us, which the kernel never masks but for
 * moments; elsewhere an ordinary one.
 *
 * Locking: `lock`, interrupts off, for read-modify-write of the distributor's registers.
 */
#include "platform.h"

#include <asm/errno.h>

#include <arch/percpu.h>
#include <arch/sysreg.h>

#include "core/debug/log.h"
#include "core/debug/panic.h"
#include "core/mem/vmap.h"
#include "core/sync/spinlock.h"
#include "core/trap/irq.h"

#define PRIORITY 0xa0u

/* Distributor, in words. */
#define GICD_CTLR      (0x000 / 4)
#define GICD_TYPER     (0x004 / 4)
#define GICD_IGROUPR   (0x080 / 4)
#define GICD_ISENABLER (0x100 / 4)
#define GICD_ICENABLER (0x180 / 4)
#define GICD_IPRIORITYR (0x400 / 4)
#define GICD_ITARGETSR (0x800 / 4)
#define GICD_ICFGR     (0xc00 / 4)
#define GICD_SGIR      (0xf00 / 4)
#define GICD_IROUTER   (0x6000 / 4)
#define CTLR_RWP       0x80000000u
#define CTLR_ARE       0x10u

/* GICv2's CPU interface. */
#define GICC_CTLR (0x00 / 4)
#define GICC_PMR  (0x04 / 4)
#define GICC_BPR  (0x08 / 4)
#define GICC_IAR  (0x0c / 4)
#define GICC_EOIR (0x10 / 4)

/* Redistributor: its own frame, and that of the private interrupts. */
#define GICR_TYPER  (0x0008 / 4)
#define GICR_WAKER  (0x0014 / 4)
#define GICR_SGI    (0x10000 / 4)
#define WAKER_SLEEP 2u
#define WAKER_ASLEEP 4u
#define TYPER_LAST  0x10u
#define TYPER_VLPI  0x02u

#define SPINS 1000000u

static unsigned int version;
static volatile uint32_t *distributor, *cpu_interface;
static unsigned int lines;
static struct { volatile uint32_t *base; size_t size; } regions[4];
static struct spinlock lock = SPINLOCK_INIT(lock);

static void wait_write(volatile uint32_t *ctlr, uint32_t bit)
{
	for (unsigned int i = 0; i < SPINS && (*ctlr & bit); i++)
		arch_cpu_relax();
}

static volatile uint32_t *map(uint64_t phys, uint64_t size)
{
	volatile uint32_t *p = device_map(phys, size, MMU_READ | MMU_WRITE | MMU_DEVICE);

	if (!p)
		panic("gic: no memory to map its registers");
	return p;
}

static void distributor_start(void)
{
	lines = MIN(((distributor[GICD_TYPER] & 0x1f) + 1) * 32, 1020u);
	distributor[GICD_CTLR] = 0;
	wait_write(&distributor[GICD_CTLR], CTLR_RWP);
	for (unsigned int i = 32; i < lines; i += 32) {
		distributor[GICD_ICENABLER + i / 32] = ~0u;
		distributor[GICD_IGROUPR + i / 32] = version == 3 ? ~0u : 0;
	}
	for (unsigned int i = 32; i < lines; i += 4)
		distributor[GICD_IPRIORITYR + i / 4] = PRIORITY * 0x01010101u;
	wait_write(&distributor[GICD_CTLR], CTLR_RWP);
	distributor[GICD_CTLR] = version == 3 ? CTLR_ARE | 2 | 1 : 1;
	wait_write(&distributor[GICD_CTLR], CTLR_RWP);
}

static bool find(struct fdt_node *n)
{
	static const char *const v2[] = { "arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a9-gic" };

	if (fdt_find("arm,gic-v3", n)) {
		version = 3;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(v2); i++)
		if (fdt_find(v2[i], n)) {
			version = 2;
			return true;
		}
	return false;
}

void gic_start(void)
{
	struct fdt_node n;
	uint64_t address, size;

	if (!find(&n) || !fdt_reg(&n, 0, &address, &size))
		panic("the device tree names no interrupt controller that is known");
	distributor = map(address, size);
	if (version == 2) {
		if (!fdt_reg(&n, 1, &address, &size))
			panic("gic: no CPU interface");
		cpu_interface = map(address, MAX(size, (uint64_t)PAGE_SIZE));
	} else {
		uint32_t count = MIN(fdt_cell(&n, "#redistributor-regions", 1), (uint32_t)ARRAY_SIZE(regions));

		for (uint32_t i = 0; i < count && fdt_reg(&n, 1 + i, &address, &size); i++) {
			regions[i].base = map(address, size);
			regions[i].size = size / 4;
		}
	}
	distributor_start();
	log_info("gic: version %u, %u lines", version, lines);
}

static uint32_t affinity(uint64_t mpidr)
{
	return (uint32_t)((mpidr >> 8 & 0xff000000) | (mpidr & 0xffffff));
}

/* The redistributor whose affinity is this CPU's. */
static volatile uint32_t *redistributor_find(uint64_t mpidr)
{
	for (size_t i = 0; i < ARRAY_SIZE(regions) && regions[i].base; i++) {
		volatile uint32_t *r = regions[i].base, *end = r + regions[i].size;

		while (r < end) {
			uint32_t low = r[GICR_TYPER], high = r[GICR_TYPER + 1];

			if (high == affinity(mpidr))
				return r;
			if (low & TYPER_LAST)
				break;
			r += (low & TYPER_VLPI ? 0x40000 : 0x20000) / 4;
		}
	}
	return NULL;
}

static void redistributor_start(struct cpu_arch *a)
{
	volatile uint32_t *r = redistributor_find(a->mpidr), *s;

	if (!r)
		panic("gic: CPU %lx has no redistributor", a->mpidr);
	a->redistributor = (void *)r;
	r[GICR_WAKER] &= ~WAKER_SLEEP;
	wait_write(&r[GICR_WAKER], WAKER_ASLEEP);
	s = r + GICR_SGI;
	s[GICD_ICENABLER] = ~0u;
	s[GICD_IGROUPR] = ~(1u << SGI_STOP);
	for (unsigned int i = 0; i < 8; i++)
		s[GICD_IPRIORITYR + i] = PRIORITY * 0x01010101u;
	s[GICD_ISENABLER] = 0xffff;
	wait_write(&r[0], 8);
	sysreg_write("s3_0_c12_c12_5", 7ul);	/* ICC_SRE_EL1: system registers */
	isb();
	sysreg_write("s3_0_c4_c6_0", 0xf0ul);	/* ICC_PMR_EL1 */
	sysreg_write("s3_0_c12_c12_3", 0ul);	/* ICC_BPR1_EL1 */
	sysreg_write("s3_0_c12_c12_4", 0ul);	/* ICC_CTLR_EL1: one write ends an interrupt */
	sysreg_write("s3_0_c12_c12_6", 1ul);	/* ICC_IGRPEN0_EL1 */
	sysreg_write("s3_0_c12_c12_7", 1ul);	/* ICC_IGRPEN1_EL1 */
	isb();
}

void gic_cpu_start(void)
{
	struct cpu_arch *a = cpu_arch_self();

	a->mpidr = sysreg_read("mpidr_el1") & 0xff00fffffful;
	if (version == 3) {
		redistributor_start(a);
		return;
	}
	a->gic_target = (uint8_t)distributor[GICD_ITARGETSR];
	distributor[GICD_ICENABLER] = 0xffff0000;
	for (unsigned int i = 0; i < 8; i++)
		distributor[GICD_IPRIORITYR + i] = PRIORITY * 0x01010101u;
	distributor[GICD_ISENABLER] = 0xffff;
	cpu_interface[GICC_PMR] = 0xf0;
	cpu_interface[GICC_BPR] = 0;
	cpu_interface[GICC_CTLR] = 1;
}

unsigned int gic_acknowledge(void)
{
	unsigned int id;

	if (version == 2)
		return cpu_interface[GICC_IAR];	/* with the sender of an SGI above the id */
	id = (unsigned int)sysreg_read("s3_0_c12_c12_0");	/* ICC_IAR1_EL1 */
	dsb(sy);
	return id;
}

void gic_end(unsigned int id)
{
	if (version == 2) {
		cpu_interface[GICC_EOIR] = id;
		return;
	}
	sysreg_write("s3_0_c12_c12_1", (unsigned long)id);	/* ICC_EOIR1_EL1 */
	isb();
}

void gic_send(const struct cpu *c, unsigned int sgi)
{
	uint64_t m = cpu_arch_of(c)->mpidr, v;

	dsb(ishst);		/* what the other CPU shall find is written */
	if (version == 2) {
		distributor[GICD_SGIR] = (uint32_t)cpu_arch_of(c)->gic_target << 16 | sgi;
		return;
	}
	v = (m >> 32 & 0xff) << 48 | (m >> 16 & 0xff) << 32 | (m >> 8 & 0xff) << 16 | 1ul << (m & 15) |
	    (m >> 4 & 15) << 44 | (uint64_t)sgi << 24;
	if (sgi == SGI_STOP)
		sysreg_write("s3_0_c12_c11_7", v);	/* ICC_SGI0R_EL1 */
	else
		sysreg_write("s3_0_c12_c11_5", v);	/* ICC_SGI1R_EL1 */
	isb();
}

void gic_enable_private(unsigned int id)
{
	struct cpu_arch *a = cpu_arch_self();
	volatile uint32_t *r = version == 3 ? (volatile uint32_t *)a->redistributor + GICR_SGI : distributor;

	r[GICD_ISENABLER] = 1u << id;
}

int arch_irq_line_enable(unsigned int line)
{
	unsigned long flags;

	if (line < 32 || line >= lines)
		return -EINVAL;
	flags = spin_lock_irqsave(&lock);
	if (version == 3) {
		uint64_t m = boot_cpu_arch.mpidr;

		distributor[GICD_IROUTER + 2 * line] = (uint32_t)m;
		distributor[GICD_IROUTER + 2 * line + 1] = (uint32_t)(m >> 32);
	} else {
		volatile uint8_t *target = (volatile uint8_t *)&distributor[GICD_ITARGETSR] + line;

		*target = boot_cpu_arch.gic_target;
	}
	distributor[GICD_ISENABLER + line / 32] = 1u << line % 32;
	spin_unlock_irqrestore(&lock, flags);
	return 0;
}

void arch_irq_line_disable(unsigned int line)
{
	if (line >= 32 && line < lines) {
		distributor[GICD_ICENABLER + line / 32] = 1u << line % 32;
		wait_write(&distributor[GICD_CTLR], CTLR_RWP);
	}
}
