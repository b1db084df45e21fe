/*
 * The words that make a function or object visible to modules. They stand after the definition. Everything else is hidden.
 */
#pragma once

struct ksymtab_entry {
	const void *value;
	const char *name;
};

#define EXPORT_SYMBOL_ENTRY(sym)                                                                   \
	static const char ksymtab_name_##sym[]                                                     \
		__attribute__((section("__ksymtab_strings"), used)) = #sym;                        \
	static const struct ksymtab_entry ksymtab_##sym                                            \
		__attribute__((section("__ksymtab"), used)) = { &sym, ksymtab_name_##sym }

/* From the core to every module. */
#define KAPI(sym) EXPORT_SYMBOL_ENTRY(sym)
/* From a module to the modules that name it in `needs`. */
#define MODAPI(sym) EXPORT_SYMBOL_ENTRY(sym)
