/*
 * x86_64: what SGDT, SIDT, SMSW, SLDT and STR give to programs on a processor that forbids them (UMIP).
 *
 * They would tell where the kernel's tables lie. Programs that use them all the same (Wine, some start-up code) get the values that
 * Linux gives: bases of no table with a limit of 0, the usual control register, no LDT, Linux's task register.
 *
 * Runs on a #GP of user code, interrupts on. Everything of the instruction is a user's: its bytes are fetched once, at most 15 of them,
 * and its operand is written by a checked copy.
 */
#include "core/trap/trap.h"

#include <arch/percpu.h>
#include <arch/x86.h>

#include "arch/x86_64/platform/platform.h"
#include "core/arch/thread.h"
#include "core/lib/string.h"
#include "core/mem/uaccess.h"
#include "core/sched/thread.h"

#define INSTRUCTION_MAX 15u
#define GDT_BASE        0xfffffffffffe0000ul
#define IDT_BASE        0xffffffffffff0000ul
#define MACHINE_STATUS  0x80050033ul		/* CR0: PE MP ET NE WP AM PG */
#define TASK_REGISTER   0x40ul
#define PF_USER_WRITE   0x06ul

enum operation { OP_SLDT, OP_STR, OP_SGDT, OP_SIDT, OP_SMSW };

struct instruction {
	uint8_t bytes[INSTRUCTION_MAX];
	unsigned int length, at;		/* bytes fetched, and looked at */
	bool operand16, address32, fs, gs;
	uint8_t rex, modrm, sib;
	int64_t displacement;
	enum operation operation;
};

#define REX_W 8u
#define REX_X 2u
#define REX_B 1u

static int next_byte(struct instruction *i)
{
	return i->at < i->length ? i->bytes[i->at++] : -1;
}

/* Up to the opcode. False: something else. */
static bool read_prefixes(struct instruction *i)
{
	for (;;) {
		int byte = next_byte(i);

		if (byte >= 0x40 && byte < 0x50) {
			i->rex = (uint8_t)byte;
			byte = next_byte(i);	/* a REX counts only right before the opcode */
			if (byte != 0x0f)
				return false;
		}
		switch (byte) {
		case 0x0f: return true;
		case 0x66: i->operand16 = true; break;
		case 0x67: i->address32 = true; break;
		case 0x64: i->fs = true; i->gs = false; break;
		case 0x65: i->gs = true; i->fs = false; break;
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0xf2: case 0xf3: break;
		default: return false;
		}
	}
}

static bool read_operation(struct instruction *i)
{
	static const int8_t of_00[8] = { OP_SLDT, OP_STR, -1, -1, -1, -1, -1, -1 };
	static const int8_t of_01[8] = { OP_SGDT, OP_SIDT, -1, -1, OP_SMSW, -1, -1, -1 };
	int opcode = next_byte(i), modrm = next_byte(i), operation;

	if (modrm < 0 || opcode > 1)
		return false;
	operation = (opcode ? of_01 : of_00)[modrm >> 3 & 7];
	if (operation < 0)
		return false;
	i->modrm = (uint8_t)modrm;
	i->operation = (enum operation)operation;
	/* With a register they are other instructions. */
	return modrm < 0xc0 || (operation != OP_SGDT && operation != OP_SIDT);
}

static bool read_displacement(struct instruction *i, unsigned int bytes)
{
	uint32_t value = 0;

	for (unsigned int n = 0; n < bytes; n++) {
		int byte = next_byte(i);

		if (byte < 0)
			return false;
		value |= (uint32_t)byte << (8 * n);
	}
	i->displacement = bytes == 1 ? (int8_t)value : (int32_t)value;
	return true;
}

static bool read_operand(struct instruction *i)
{
	unsigned int mod = i->modrm >> 6, rm = i->modrm & 7, bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (mod == 3)
		return true;
	if (rm == 4) {
		int sib = next_byte(i);

		if (sib < 0)
			return false;
		i->sib = (uint8_t)sib;
		if (mod == 0 && (sib & 7) == 5)
			bytes = 4;
	} else if (rm == 5 && mod == 0) {
		bytes = 4;
	}
	return read_displacement(i, bytes);
}

static unsigned long *register_of(struct trap_frame *f, unsigned int number)
{
	unsigned long *const registers[16] = {
		&f->rax, &f->rcx, &f->rdx, &f->rbx, &f->rsp, &f->rbp, &f->rsi, &f->rdi,
		&f->r8, &f->r9, &f->r10, &f->r11, &f->r12, &f->r13, &f->r14, &f->r15,
	};

	return registers[number & 15];
}

static uintptr_t operand_address(const struct instruction *i, struct trap_frame *f)
{
	unsigned int mod = i->modrm >> 6, rm = i->modrm & 7;
	unsigned int high = i->rex & REX_B ? 8 : 0;
	uintptr_t address = (uintptr_t)i->displacement;

	if (rm == 4) {
		unsigned int index = (i->sib >> 3 & 7) | (i->rex & REX_X ? 8 : 0), base = i->sib & 7;

		if (index != 4)
			address += *register_of(f, index) << (i->sib >> 6);
		if (mod != 0 || base != 5)
			address += *register_of(f, base | high);
	} else if (mod == 0 && rm == 5) {
		address += f->rip + i->at;
	} else {
		address += *register_of(f, rm | high);
	}
	if (i->address32)
		address = (uint32_t)address;
	if (i->fs)
		address += arch_thread_tls(current);
	if (i->gs)
		address += arch_thread_gs(current);
	return address;
}

static void store_register(const struct instruction *i, struct trap_frame *f, unsigned long value)
{
	unsigned long *to = register_of(f, (i->modrm & 7) | (i->rex & REX_B ? 8 : 0));

	if (i->rex & REX_W)
		*to = value;
	else if (i->operand16)
		*to = (*to & ~0xfffful) | (value & 0xffff);
	else
		*to = (uint32_t)value;
}

static unsigned long value_of(enum operation operation)
{
	switch (operation) {
	case OP_SGDT: return GDT_BASE;
	case OP_SIDT: return IDT_BASE;
	case OP_SMSW: return MACHINE_STATUS;
	case OP_STR: return TASK_REGISTER;
	default: return 0;
	}
}

/* As many bytes as there are: the next page may not be mapped. */
static void fetch(struct instruction *i, uintptr_t pc)
{
	size_t here = MIN(PAGE_SIZE - (pc & PAGE_MASK), (size_t)INSTRUCTION_MAX);

	if (copy_from_user(i->bytes, pc, here))
		return;
	i->length = (unsigned int)here;
	if (here < INSTRUCTION_MAX && !copy_from_user(i->bytes + here, pc + here, INSTRUCTION_MAX - here))
		i->length = INSTRUCTION_MAX;
}

bool umip_emulate(struct trap_frame *f, struct trap_info *info)
{
	struct instruction i = { 0 };
	struct { uint16_t limit; uint64_t base; } __packed table = { 0 };
	unsigned long value;
	uintptr_t address;
	size_t size = sizeof(table);

	if (!cpu_features.umip || f->cs != X86_USER_CS)
		return false;
	fetch(&i, f->rip);
	if (!read_prefixes(&i) || !read_operation(&i) || !read_operand(&i))
		return false;
	value = value_of(i.operation);
	if (i.modrm >= 0xc0) {
		store_register(&i, f, value);
		f->rip += i.at;
		return true;
	}
	address = operand_address(&i, f);
	table.base = value;
	if (i.operation != OP_SGDT && i.operation != OP_SIDT) {
		memcpy(&table, &value, sizeof(uint16_t));
		size = sizeof(uint16_t);
	}
	if (copy_to_user(address, &table, size)) {
		info->kind = TRAP_SEGV_MAP;
		info->address = address;
		info->number = 14;
		info->error = PF_USER_WRITE;
		return false;
	}
	f->rip += i.at;
	return true;
}
