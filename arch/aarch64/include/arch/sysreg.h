/*
 * aarch64, private to the port: system registers, and the bits in them. Plain numbers: assembly includes this, too.
 */
#pragma once

/* MAIR_EL1: normal write-back, device nGnRE, normal uncached. */
#define MAIR_VALUE 0x4404ff

/* TCR_EL1: both halves 48 bits, 4 KiB pages, tables write-back inner shareable; top-byte ignore for user addresses. IPS is added at boot. */
#define TCR_T0SZ  16
#define TCR_T1SZ  (16 << 16)
#define TCR_WALKS0 (1 << 8 | 1 << 10 | 3 << 12)
#define TCR_WALKS1 (1 << 24 | 1 << 26 | 3 << 28)
#define TCR_TG1_4K (2 << 30)
#define TCR_TBI0_BIT 37
#define TCR_IPS_SHIFT 32

#define SCTLR_M      (1 << 0)
#define SCTLR_A      (1 << 1)
#define SCTLR_C      (1 << 2)
#define SCTLR_SA     (1 << 3)
#define SCTLR_SA0    (1 << 4)
#define SCTLR_ENDB   (1 << 13)
#define SCTLR_I      (1 << 12)
#define SCTLR_DZE    (1 << 14)
#define SCTLR_UCT    (1 << 15)
#define SCTLR_NTWI   (1 << 16)
#define SCTLR_NTWE   (1 << 18)
#define SCTLR_SPAN   (1 << 23)
#define SCTLR_UCI    (1 << 26)
#define SCTLR_ENDA   (1 << 27)
#define SCTLR_ENIB   (1 << 30)
#define SCTLR_ENIA_BIT 31
#define SCTLR_BT0_BIT 35
#define SCTLR_BT1_BIT 36
/* Bits 28, 22, 20, 11 and 8, 7 are one on CPUs without the features that gave them a meaning. */
#define SCTLR_RES1   (1 << 29 | 1 << 28 | 1 << 22 | 1 << 20 | 1 << 11 | 1 << 8 | 1 << 7)
#define SCTLR_OFF    (SCTLR_RES1 | SCTLR_SPAN)
#define SCTLR_ON     (SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_SA0 | SCTLR_DZE | SCTLR_UCT | SCTLR_NTWI | \
		      SCTLR_NTWE | SCTLR_SPAN | SCTLR_UCI)

/* Exception classes of ESR_EL1. */
#define EC_UNKNOWN   0x00
#define EC_WFX       0x01
#define EC_FP        0x07
#define EC_BTI       0x0d
#define EC_ILLEGAL   0x0e
#define EC_SVC       0x15
#define EC_SYSREG    0x18
#define EC_SVE       0x19
#define EC_FPAC      0x1c
#define EC_IABT_USER 0x20
#define EC_IABT      0x21
#define EC_PC_ALIGN  0x22
#define EC_DABT_USER 0x24
#define EC_DABT      0x25
#define EC_SP_ALIGN  0x26
#define EC_FP_TRAP   0x2c
#define EC_SERROR    0x2f
#define EC_BREAK_USER 0x30
#define EC_STEP_USER 0x32
#define EC_STEP      0x33
#define EC_WATCH_USER 0x34
#define EC_WATCH     0x35
#define EC_BRK       0x3c

#ifndef __ASSEMBLER__
#define sysreg_read(name)                                                                          \
	({                                                                                         \
		unsigned long sysreg_value;                                                        \
		__asm__ volatile("mrs %0, " name : "=r"(sysreg_value) : : "memory");               \
		sysreg_value;                                                                      \
	})
#define sysreg_write(name, v) __asm__ volatile("msr " name ", %x0" : : "rZ"((unsigned long)(v)) : "memory")
#define isb() __asm__ volatile("isb" : : : "memory")
#define dsb(what) __asm__ volatile("dsb " #what : : : "memory")
#endif
