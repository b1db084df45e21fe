/*
 * The kernel command line: words apart by white space, quotes keep words together, `--` ends what is the kernel's.
 *
 * Parsed in place once; read-only afterwards.
 */
#include "core/boot/cmdline.h"

#include "core/boot/boot.h"
#include "core/debug/log.h"
#include "core/lib/string.h"
#include "core/module/export.h"
#include "core/module/module.h"

#define WORDS_MAX 256

static char text[BOOT_CMDLINE_SIZE];
static const char *words[WORDS_MAX];
static unsigned int word_count;
static unsigned int kernel_words;	/* those before "--" */

/* What the core or a module reads with cmdline_value. Everything else goes to init. */
static const char *const known[] = {
	"init", "rdinit", "console", "loglevel", "quiet", "debug", "panic", "modules", "ktest", "debugexit", "autoload",
	"module_blacklist",
	"nokaslr", "mitigations", "pti", "nopti", "init_on_alloc", "init_on_free", "slab_debug", "hardened_usercopy",
	"norandmaps", "nosmp", "maxcpus", "root", "ro", "rw", "BOOT_IMAGE", "overcommit",
};

void cmdline_parse(void)
{
	char *out = text;
	const char *in = boot_info.cmdline;

	while (*in && word_count < WORDS_MAX) {
		bool quoted = false;

		while (*in == ' ' || *in == '\t' || *in == '\n')
			in++;
		if (!*in)
			break;
		words[word_count++] = out;
		for (; *in && (quoted || (*in != ' ' && *in != '\t' && *in != '\n')); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		*out++ = '\0';
	}
	if (*in)
		log_warn("command line: more than %d words, the rest is left out", WORDS_MAX);
	for (kernel_words = 0; kernel_words < word_count; kernel_words++)
		if (!strcmp(words[kernel_words], "--"))
			break;
}

/* Length of the name before '=' or the end. */
static size_t name_length(const char *word)
{
	const char *eq = strchr(word, '=');

	return eq ? (size_t)(eq - word) : strlen(word);
}

static const char *value_of(const char *word)
{
	size_t n = name_length(word);

	return word[n] == '=' ? word + n + 1 : word + n;
}

static bool is_named(const char *word, const char *name)
{
	return name_length(word) == strlen(name) && !strncmp(word, name, strlen(name));
}

const char *cmdline_value(const char *name)
{
	const char *found = NULL;

	for (unsigned int i = 0; i < kernel_words; i++)
		if (is_named(words[i], name))
			found = value_of(words[i]);
	return found;
}
KAPI(cmdline_value);

void cmdline_for_each(const char *name, void (*fn)(const char *value, void *arg), void *arg)
{
	for (unsigned int i = 0; i < kernel_words; i++)
		if (is_named(words[i], name))
			fn(value_of(words[i]), arg);
}
KAPI(cmdline_for_each);

bool cmdline_mitigations_off(void)
{
	const char *value = cmdline_value("mitigations");

	return value && !strcmp(value, "off");
}

/* A word for a module: has a dot before any '='. */
static bool is_module_word(const char *word)
{
	return memchr(word, '.', name_length(word)) != NULL;
}

void cmdline_for_each_unknown(void (*fn)(const char *word, void *arg), void *arg)
{
	for (unsigned int i = 0; i < word_count; i++) {
		bool taken = i == kernel_words;

		for (unsigned int k = 0; i < kernel_words && k < ARRAY_SIZE(known); k++)
			taken |= is_named(words[i], known[k]);
		if (i < kernel_words && is_module_word(words[i]))
			taken = true;
		if (!taken)
			fn(words[i], arg);
	}
}
KAPI(cmdline_for_each_unknown);

void cmdline_module_params(const char *module, char *buf, size_t size)
{
	size_t n = strlen(module), used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < kernel_words; i++) {
		if (strncmp(words[i], module, n) || words[i][n] != '.')
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s\"%s\"", used ? " " : "", words[i] + n + 1);
		if (used >= size) {
			log_warn("command line: parameters of module %s are too long", module);
			buf[0] = '\0';
			return;
		}
	}
}

/* Modules that come later may take theirs; a misspelt name would else stay unseen. */
static void report_module_word(const char *word)
{
	char name[MODULE_NAME_SIZE];
	size_t n = (size_t)((const char *)memchr(word, '.', strlen(word)) - word);

	/* The loader's own. */
	if (is_named(word, "modules.sig"))
		return;
	if (n < sizeof(name)) {
		memcpy(name, word, n);
		name[n] = '\0';
		if (module_is_loaded(name))
			return;
	}
	log_notice("command line: \"%s\" is for a module that is not loaded", word);
}

void cmdline_report_unknown(void)
{
	for (unsigned int i = 0; i < kernel_words; i++) {
		bool taken = false;

		if (is_module_word(words[i])) {
			report_module_word(words[i]);
			continue;
		}
		for (unsigned int k = 0; k < ARRAY_SIZE(known); k++)
			taken |= is_named(words[i], known[k]);
		if (!taken)
			log_notice("command line: \"%s\" is not a word of the kernel: passed to init", words[i]);
	}
}
