/*
 * x86_64: the wall clock of the CMOS chip, read once at boot. It is taken to run in UTC.
 */
#include "platform.h"

#include <arch/port.h>

#include "core/debug/log.h"
#include "core/time/clock.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define NMI_OFF    0x80

struct rtc_time {
	uint8_t second, minute, hour, day, month, year, century;
};

static uint8_t cmos_read(uint8_t reg)
{
	port_out8(CMOS_INDEX, NMI_OFF | reg);
	return port_in8(CMOS_DATA);
}

static bool read_registers(struct rtc_time *t)
{
	/* An update takes 2 ms at most; a read of the port about 1 us. */
	for (unsigned int i = 0; cmos_read(0x0a) & 0x80; i++)
		if (i == 100000)
			return false;
	t->second = cmos_read(0);
	t->minute = cmos_read(2);
	t->hour = cmos_read(4);
	t->day = cmos_read(7);
	t->month = cmos_read(8);
	t->year = cmos_read(9);
	t->century = acpi_info.rtc_century && acpi_info.rtc_century < 128 ? cmos_read(acpi_info.rtc_century) : 0;
	return true;
}

static uint8_t from_bcd(uint8_t v)
{
	return (uint8_t)((v >> 4) * 10 + (v & 15));
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March. */
static int64_t days_from_date(int64_t year, unsigned int month, unsigned int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	unsigned int from_march = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

static int64_t to_ns(struct rtc_time *t, uint8_t status)
{
	bool pm = t->hour & 0x80;
	int64_t year;

	t->hour &= 0x7f;
	if (!(status & 4)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
		t->century = from_bcd(t->century);
	}
	if (!(status & 2))
		t->hour = (uint8_t)(t->hour % 12 + (pm ? 12 : 0));
	year = t->century >= 19 && t->century <= 22 ? t->century * 100 + t->year : t->year + (t->year < 70 ? 2000 : 1900);
	if (t->second > 59 || t->minute > 59 || t->hour > 23 || !t->day || t->day > 31 || !t->month || t->month > 12 ||
	    t->year > 99)
		return 0;
	return (((days_from_date(year, t->month, t->day) * 24 + t->hour) * 60 + t->minute) * 60 + t->second) *
	       (int64_t)NSEC_PER_SEC;
}

/* Two equal readings, so that no update fell in between. */
int64_t rtc_read(void)
{
	struct rtc_time a, b;
	uint8_t status;

	if (acpi_info.no_rtc)
		return 0;
	status = cmos_read(0x0b);
	if (status == 0xff || !read_registers(&b))
		return 0;
	for (unsigned int tries = 0; tries < 10; tries++) {
		a = b;
		if (!read_registers(&b))
			return 0;
		if (a.second == b.second && a.minute == b.minute && a.hour == b.hour && a.day == b.day &&
		    a.month == b.month && a.year == b.year && a.century == b.century)
			return to_ns(&a, status);
	}
	return 0;
}
