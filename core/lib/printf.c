/*
 * Formatted output to memory, shared by the log, procfs and everybody else. No state, any context.
 */
#include "core/lib/string.h"
#include "core/module/export.h"

struct output {
	char *buf;
	size_t size;
	size_t length;			/* what the whole text has, also beyond size */
};

struct spec {
	bool left, plus, space, alternate, zero;
	int width, precision;		/* -1: not given */
	int size;			/* bytes of the argument */
	char conversion;
};

static void put(struct output *o, char c)
{
	if (o->length + 1 < o->size)
		o->buf[o->length] = c;
	o->length++;
}

static void put_pad(struct output *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct output *o, const struct spec *s, const char *text, size_t n)
{
	int pad = s->width - (int)n;

	if (!s->left)
		put_pad(o, ' ', pad);
	while (n--)
		put(o, *text++);
	if (s->left)
		put_pad(o, ' ', pad);
}

static void put_number(struct output *o, const struct spec *s, uint64_t v, bool negative)
{
	const char *digits = s->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned int base = s->conversion == 'x' || s->conversion == 'X' ? 16 : s->conversion == 'o' ? 8 : 10;
	char text[24], prefix[3];
	int n = 0, zeros, np = 0, pad;

	if (negative)
		prefix[np++] = '-';
	else if (s->plus)
		prefix[np++] = '+';
	else if (s->space)
		prefix[np++] = ' ';
	if (s->alternate && base == 16 && v)
		prefix[np++] = '0', prefix[np++] = s->conversion;
	while (v || (n == 0 && s->precision != 0)) {
		text[n++] = digits[v % base];
		v /= base;
		if (!v)
			break;
	}
	zeros = s->precision > n ? s->precision - n : 0;
	if (s->alternate && base == 8 && zeros == 0 && (n == 0 || text[n - 1] != '0'))
		zeros = 1;
	pad = s->width - n - zeros - np;
	if (s->zero && !s->left && s->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!s->left)
		put_pad(o, ' ', pad);
	for (int i = 0; i < np; i++)
		put(o, prefix[i]);
	put_pad(o, '0', zeros);
	while (n)
		put(o, text[--n]);
	if (s->left)
		put_pad(o, ' ', pad);
}

static const char *parse_flags(const char *f, struct spec *s)
{
	for (;; f++) {
		switch (*f) {
		case '-': s->left = true; break;
		case '+': s->plus = true; break;
		case ' ': s->space = true; break;
		case '#': s->alternate = true; break;
		case '0': s->zero = true; break;
		default: return f;
		}
	}
}

static const char *parse_size(const char *f, struct spec *s)
{
	s->size = sizeof(int);
	if (*f == 'h') {
		s->size = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	if (*f == 'l') {
		s->size = 8;
		return f + (f[1] == 'l' ? 2 : 1);
	}
	if (*f == 'z' || *f == 't' || *f == 'j') {
		s->size = 8;
		return f + 1;
	}
	return f;
}

static int parse_count(const char **f, va_list *ap)
{
	int n = 0;

	if (**f == '*') {
		(*f)++;
		return va_arg(*ap, int);
	}
	while (**f >= '0' && **f <= '9' && n < 10000)
		n = n * 10 + *(*f)++ - '0';
	return n;
}

static uint64_t unsigned_argument(const struct spec *s, va_list *ap)
{
	uint64_t v = s->size == 8 ? va_arg(*ap, uint64_t) : va_arg(*ap, unsigned int);

	return s->size == 1 ? (uint8_t)v : s->size == 2 ? (uint16_t)v : v;
}

static int64_t signed_argument(const struct spec *s, va_list *ap)
{
	int64_t v = s->size == 8 ? va_arg(*ap, int64_t) : va_arg(*ap, int);

	return s->size == 1 ? (int8_t)v : s->size == 2 ? (int16_t)v : v;
}

static void convert(struct output *o, struct spec *s, va_list *ap)
{
	const char *text;
	int64_t v;
	char c;

	switch (s->conversion) {
	case 'd':
	case 'i':
		v = signed_argument(s, ap);
		put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
		break;
	case 'u': case 'x': case 'X': case 'o':
		put_number(o, s, unsigned_argument(s, ap), false);
		break;
	case 'p':
		s->conversion = 'x';
		s->alternate = true;
		put_number(o, s, (uintptr_t)va_arg(*ap, void *), false);
		break;
	case 'c':
		c = (char)va_arg(*ap, int);
		put_text(o, s, &c, 1);
		break;
	case 's':
		text = va_arg(*ap, const char *);
		if (!text)
			text = "(null)";
		put_text(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		put(o, s->conversion);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct output o = { buf, size, 0 };
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		struct spec s = { .precision = -1 };

		if (*fmt != '%') {
			put(&o, *fmt++);
			continue;
		}
		fmt = parse_flags(fmt + 1, &s);
		s.width = parse_count(&fmt, &args);
		if (s.width < 0) {
			s.left = true;
			s.width = -s.width;
		}
		if (*fmt == '.') {
			fmt++;
			s.precision = parse_count(&fmt, &args);
		}
		fmt = parse_size(fmt, &s);
		s.conversion = *fmt;
		if (!*fmt)
			break;
		fmt++;
		convert(&o, &s, &args);
	}
	va_end(args);
	if (size)
		buf[o.length < size ? o.length : size - 1] = '\0';
	return (int)o.length;
}
KAPI(vsnprintf);

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
KAPI(snprintf);
