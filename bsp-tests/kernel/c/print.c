/* SPDX-License-Identifier: Apache-2.0 */
/* rt_kprintf and its kin: %s %c %d %i %u %x %X %p %%, with - 0 # + flags, widths, precisions and h, l, ll, L, z. */
#include <rtthread.h>

void stand_in_write(const char *text, rt_size_t size);

struct out
{
    char *buf;
    rt_size_t size;
    rt_size_t length; /* of the whole text, cut off or not */
};

static void put(struct out *out, char c)
{
    if (out->length + 1 < out->size)
    {
        out->buf[out->length] = c;
    }
    ++out->length;
}

static void pad(struct out *out, char c, int count)
{
    while (count-- > 0)
    {
        put(out, c);
    }
}

struct spec
{
    int left, zero, alternate, plus;
    int width, precision; /* precision -1: none */
};

static void put_text(struct out *out, const struct spec *spec, const char *text)
{
    int length = 0;

    text = text ? text : "(NULL)";
    while (text[length] && (spec->precision < 0 || length < spec->precision))
    {
        ++length;
    }
    if (!spec->left)
    {
        pad(out, ' ', spec->width - length);
    }
    for (int i = 0; i < length; ++i)
    {
        put(out, text[i]);
    }
    if (spec->left)
    {
        pad(out, ' ', spec->width - length);
    }
}

static void put_number(struct out *out, const struct spec *spec, rt_uint64_t value, int negative, unsigned base,
        const char *digits)
{
    char text[24];
    const char *prefix = negative ? "-" : spec->alternate && base == 16 ? "0x" : spec->plus ? "+" : "";
    int prefix_length = (int)rt_strlen(prefix);
    int length = 0, zeros;

    do
    {
        text[length++] = digits[value % base];
        value /= base;
    } while (value);

    zeros = spec->precision > length ? spec->precision - length : 0;
    if (spec->zero && !spec->left && spec->precision < 0 && spec->width > length + prefix_length)
    {
        zeros = spec->width - length - prefix_length;
    }
    if (!spec->left)
    {
        pad(out, ' ', spec->width - prefix_length - zeros - length);
    }
    for (; *prefix; ++prefix)
    {
        put(out, *prefix);
    }
    pad(out, '0', zeros);
    for (int i = length; i > 0; --i)
    {
        put(out, text[i - 1]);
    }
    if (spec->left)
    {
        pad(out, ' ', spec->width - prefix_length - zeros - length);
    }
}

static int number(const char **fmt, va_list *args)
{
    int value = 0;

    if (**fmt == '*')
    {
        ++*fmt;
        return va_arg(*args, int);
    }
    while (**fmt >= '0' && **fmt <= '9')
    {
        value = value * 10 + *(*fmt)++ - '0';
    }
    return value;
}

int rt_vsnprintf(char *buf, rt_size_t size, const char *fmt, va_list ap)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    struct out out = { buf, size, 0 };
    va_list args;

    va_copy(args, ap);
    for (; *fmt; ++fmt)
    {
        struct spec spec = { .precision = -1 };
        int longs = 0;

        if (*fmt != '%')
        {
            put(&out, *fmt);
            continue;
        }
        for (++fmt; *fmt == '-' || *fmt == '0' || *fmt == '#' || *fmt == '+'; ++fmt)
        {
            spec.left |= *fmt == '-';
            spec.zero |= *fmt == '0';
            spec.alternate |= *fmt == '#';
            spec.plus |= *fmt == '+';
        }
        spec.width = number(&fmt, &args);
        if (*fmt == '.')
        {
            ++fmt;
            spec.precision = number(&fmt, &args);
        }
        for (; *fmt == 'h' || *fmt == 'l' || *fmt == 'L' || *fmt == 'z'; ++fmt)
        {
            longs += *fmt != 'h';
        }

        switch (*fmt)
        {
        case 's':
            put_text(&out, &spec, va_arg(args, const char *));
            break;
        case 'c':
            put(&out, (char)va_arg(args, int));
            break;
        case 'd':
        case 'i':
        {
            rt_int64_t value = longs ? va_arg(args, long) : va_arg(args, int);

            put_number(&out, &spec, value < 0 ? -(rt_uint64_t)value : (rt_uint64_t)value, value < 0, 10, lower);
            break;
        }
        case 'u':
        case 'x':
        case 'X':
        {
            rt_uint64_t value = longs ? va_arg(args, unsigned long) : va_arg(args, unsigned int);

            spec.plus = 0;
            put_number(&out, &spec, value, 0, *fmt == 'u' ? 10 : 16, *fmt == 'X' ? upper : lower);
            break;
        }
        case 'p':
            spec.alternate = 1;
            spec.zero = 1;
            spec.plus = 0;
            spec.width = 2 + 2 * (int)sizeof(void *);
            put_number(&out, &spec, (rt_ubase_t)va_arg(args, void *), 0, 16, lower);
            break;
        case '%':
            put(&out, '%');
            break;
        default: /* as in RT-Thread, an unknown conversion is printed as it is */
            put(&out, '%');
            if (!*fmt)
            {
                --fmt;
                break;
            }
            put(&out, *fmt);
        }
    }
    va_end(args);

    if (size)
    {
        buf[out.length < size ? out.length : size - 1] = '\0';
    }
    return (int)out.length;
}

int rt_snprintf(char *buf, rt_size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = rt_vsnprintf(buf, size, fmt, args);
    va_end(args);
    return length;
}

/* A line longer than the buffer is cut, as in RT-Thread. */
int rt_kprintf(const char *fmt, ...)
{
    char buf[RT_CONSOLEBUF_SIZE];
    va_list args;
    rt_size_t length;

    va_start(args, fmt);
    length = (rt_size_t)rt_vsnprintf(buf, sizeof(buf), fmt, args);
    va_end(args);
    length = length < sizeof(buf) ? length : sizeof(buf) - 1;
    stand_in_write(buf, length);
    return (int)length;
}

void rt_kputs(const char *str)
{
    stand_in_write(str, rt_strlen(str));
}
