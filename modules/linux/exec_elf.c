/*
 * ELF programs: checks of the headers, mapping of the segments, the interpreter.
 *
 * Everything is mapped into a new address space that nobody else has; a failure leaves the caller's program as it was.
 */
#include "exec.h"

#include "core/arch/module.h"
#include "core/lib/random.h"
#include "core/mem/vmap.h"

#define PHDRS_MAX 128
#define DYN_BASE  0x555555554000ul	/* two thirds of the address space */
#define ALIGN_LIMIT (1ul << 30)		/* larger wishes are not heeded */
#define DYN_RANDOM_MASK 0xfffffffful	/* pages */

struct elf_file {
	struct file *file;
	Elf64_Ehdr header;
	Elf64_Phdr *phdrs;
	uintptr_t low, high;		/* extent of the PT_LOADs, page aligned */
	uintptr_t align;		/* largest p_align of them; a power of two */
	uintptr_t bias;
};

static int read_exact(struct file *f, void *buf, size_t n, uint64_t at)
{
	int64_t pos = (int64_t)at;
	long got = file_read_kernel(f, buf, n, &pos);

	return got < 0 ? (int)got : (size_t)got == n ? 0 : -ENOEXEC;
}

static bool header_ok(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_machine == ELF_MACHINE && h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum > 0 &&
	       h->e_phnum <= PHDRS_MAX;
}

/* The extent of the loadable segments; each must be sane by itself. */
static int check_segments(struct elf_file *e)
{
	bool any = false;

	e->low = UINTPTR_MAX;
	e->high = 0;
	e->align = PAGE_SIZE;
	for (unsigned int i = 0; i < e->header.e_phnum; i++) {
		const Elf64_Phdr *p = &e->phdrs[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_filesz > p->p_memsz || p->p_memsz > USER_END || p->p_vaddr > USER_END - p->p_memsz ||
		    ((p->p_vaddr ^ p->p_offset) & PAGE_MASK) || p->p_offset > INT64_MAX - p->p_filesz)
			return -ENOEXEC;
		if (any && p->p_vaddr < e->low)
			return -ENOEXEC;	/* must ascend */
		if (!any)
			e->low = ALIGN_DOWN(p->p_vaddr, PAGE_SIZE);
		any = true;
		if (p->p_align > e->align && p->p_align <= ALIGN_LIMIT && !(p->p_align & (p->p_align - 1)))
			e->align = p->p_align;
		e->high = MAX(e->high, ALIGN_UP(p->p_vaddr + p->p_memsz, PAGE_SIZE));
	}
	return any ? 0 : -ENOEXEC;
}

static int elf_open(struct elf_file *e, struct file *f, const char *head)
{
	size_t size;
	int error;

	memset(e, 0, sizeof(*e));
	e->file = f;
	if (head)
		memcpy(&e->header, head, sizeof(e->header));
	else if ((error = read_exact(f, &e->header, sizeof(e->header), 0)))
		return error;
	if (!header_ok(&e->header))
		return -ENOEXEC;
	size = e->header.e_phnum * sizeof(Elf64_Phdr);
	e->phdrs = kmalloc(size, 0);
	if (!e->phdrs)
		return -ENOMEM;
	if (head && e->header.e_phoff <= EXEC_HEAD && size <= EXEC_HEAD - e->header.e_phoff) {
		memcpy(e->phdrs, head + e->header.e_phoff, size);
		error = 0;
	} else {
		error = read_exact(f, e->phdrs, size, e->header.e_phoff);
	}
	if (!error)
		error = check_segments(e);
	if (error) {
		kfree(e->phdrs);
		e->phdrs = NULL;
	}
	return error;
}

static unsigned int region_flags(unsigned int elf_flags)
{
	return (elf_flags & PF_R ? REGION_READ : 0) | (elf_flags & PF_W ? REGION_WRITE : 0) |
	       (elf_flags & PF_X ? REGION_EXEC : 0);
}

static int map_anonymous(struct aspace *as, uintptr_t start, uintptr_t end, unsigned int flags)
{
	struct map_request q = {
		.addr = start, .length = end - start, .flags = flags | REGION_MAY_WRITE, .fixed = true, .limit = UINT64_MAX,
	};
	uintptr_t at;

	return start < end ? aspace_map(as, &q, &at) : 0;
}

/* Zeroes the rest of the last page of file contents, where the segment goes on as zeroes. */
static int clear_tail(struct aspace *as, uintptr_t from, bool writable)
{
	size_t n = ALIGN_UP(from, PAGE_SIZE) - from;
	char *zeroes;
	long done;

	if (!n || !writable)
		return 0;
	zeroes = page_address(page_zero);
	done = aspace_write(as, from, zeroes, n, false);
	return done == (long)n ? 0 : -EFAULT;
}

static int map_segment(struct aspace *as, const struct elf_file *e, const Elf64_Phdr *p)
{
	uintptr_t start = ALIGN_DOWN(p->p_vaddr, PAGE_SIZE) + e->bias;
	uintptr_t file_end = p->p_vaddr + e->bias + p->p_filesz;
	uintptr_t end = ALIGN_UP(p->p_vaddr + e->bias + p->p_memsz, PAGE_SIZE);
	unsigned int flags = region_flags(p->p_flags);
	int error;

	if (p->p_filesz) {
		struct map_request q = {
			.addr = start, .length = ALIGN_UP(file_end, PAGE_SIZE) - start, .flags = flags, .fixed = true,
			.offset = ALIGN_DOWN(p->p_offset, PAGE_SIZE), .limit = UINT64_MAX,
		};
		uintptr_t at;

		error = file_map_prepare(e->file, &q);
		if (error)
			return error;
		error = aspace_map(as, &q, &at);
		file_map_done(&q);
		if (error)
			return error;
	}
	if (p->p_memsz == p->p_filesz)
		return 0;
	error = p->p_filesz ? clear_tail(as, file_end, flags & REGION_WRITE) : 0;
	if (error)
		return error;
	return map_anonymous(as, p->p_filesz ? ALIGN_UP(file_end, PAGE_SIZE) : start, end, flags);
}

static int map_segments(struct aspace *as, const struct elf_file *e)
{
	for (unsigned int i = 0; i < e->header.e_phnum; i++)
		if (e->phdrs[i].p_type == PT_LOAD) {
			int error = map_segment(as, e, &e->phdrs[i]);

			if (error)
				return error == -EEXIST ? -ENOEXEC : error;
		}
	return 0;
}

/* Where a position-independent file goes. */
static int choose_bias(struct exec *x, struct elf_file *e, bool program)
{
	uintptr_t base;

	if (e->header.e_type == ET_EXEC)
		return e->low < READ_ONCE(mmap_min_addr) && !capable(CAP_SYS_RAWIO) ? -EPERM : 0;
	if (program) {
		base = DYN_BASE;
		if (!x->no_random)
			base += (random_u64() & (DYN_RANDOM_MASK >> 4)) << PAGE_SHIFT;
		/* Not into the stack and what hangs below it. */
		if (base + (e->high - e->low) >= x->as->mmap_base)
			base = DYN_BASE;
		base = ALIGN_DOWN(base, e->align);
	} else {
		base = aspace_find_room(x->as, e->high - e->low + e->align - PAGE_SIZE, 0);
		if (!base)
			return -ENOMEM;
		base = ALIGN_UP(base, e->align);
	}
	e->bias = base - ALIGN_DOWN(e->low, e->align);
	return 0;
}

static int load_interpreter(struct exec *x, const Elf64_Phdr *p)
{
	struct elf_file e;
	struct file *f;
	char *name;
	int error;

	if (p->p_filesz < 2 || p->p_filesz > 4096)
		return -ENOEXEC;
	name = kmalloc(p->p_filesz, 0);
	if (!name)
		return -ENOMEM;
	error = read_exact(x->file, name, p->p_filesz, p->p_offset);
	if (!error && name[p->p_filesz - 1])
		error = -ENOEXEC;
	if (!error)
		error = exec_open_interpreter(x, name, &f);
	kfree(name);
	if (error)
		return error;
	error = elf_open(&e, f, NULL);
	if (error == -ENOEXEC)
		error = -ELIBBAD;
	if (!error) {
		error = choose_bias(x, &e, false);
		if (!error)
			error = map_segments(x->as, &e);
		x->image.start = e.header.e_entry + e.bias;
		x->image.base = e.low + e.bias;
		kfree(e.phdrs);
	}
	file_exec_put(f);
	return error;
}

/* What /proc/<pid>/stat and brk want to know. */
static void note_layout(struct exec *x, const struct elf_file *e)
{
	struct aspace *as = x->as;

	as->code_start = as->data_start = UINTPTR_MAX;
	for (unsigned int i = 0; i < e->header.e_phnum; i++) {
		const Elf64_Phdr *p = &e->phdrs[i];
		uintptr_t at = p->p_vaddr + e->bias;

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_flags & PF_X) {
			as->code_start = MIN(as->code_start, at);
			as->code_end = MAX(as->code_end, at + p->p_filesz);
		} else if (p->p_flags & PF_W) {
			as->data_start = MIN(as->data_start, at);
			as->data_end = MAX(as->data_end, at + p->p_filesz);
		}
		if (p->p_offset <= e->header.e_phoff && e->header.e_phoff < p->p_offset + p->p_filesz)
			x->image.phdr = at + (e->header.e_phoff - p->p_offset);
	}
	if (as->data_start == UINTPTR_MAX)
		as->data_start = as->data_end = as->code_end;
	as->brk_start = e->high + e->bias;
	if (!x->no_random)
		as->brk_start += (random_u64() & 0x1fff) << PAGE_SHIFT;
	as->brk_end = as->brk_start;
}

int exec_load_elf(struct exec *x)
{
	const Elf64_Phdr *interpreter = NULL;
	struct elf_file e;
	int error = elf_open(&e, x->file, x->head);

	if (error)
		return error;
	x->image.stack_exec = false;
	for (unsigned int i = 0; i < e.header.e_phnum; i++) {
		if (e.phdrs[i].p_type == PT_INTERP && !interpreter)
			interpreter = &e.phdrs[i];
		if (e.phdrs[i].p_type == PT_GNU_STACK)
			x->image.stack_exec = e.phdrs[i].p_flags & PF_X;
	}
	error = choose_bias(x, &e, interpreter || e.header.e_type == ET_EXEC);
	if (!error)
		error = map_segments(x->as, &e);
	if (!error) {
		note_layout(x, &e);
		x->image.entry = x->image.start = e.header.e_entry + e.bias;
		x->image.phnum = e.header.e_phnum;
		if (interpreter)
			error = load_interpreter(x, interpreter);
	}
	kfree(e.phdrs);
	return error;
}
