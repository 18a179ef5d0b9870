/* RFC 3339 times by the proleptic Gregorian calendar, without the C library's time zone state. */
#include "common/timefmt.h"

#include <stdbool.h>
#include <stdio.h>

#define SECONDS_PER_DAY 86400
#define YEAR_MAX        9999
/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say. */
#define TIME_FIRST INT64_C(-62167219200)
#define TIME_LAST  INT64_C(253402300799)

struct civil {
    int64_t year;
    int month; /* 1-12 */
    int day;   /* 1-31 */
};

/*
 * Both ways count in years that begin on 1 March, so that the leap day is the last day of a year,
 * and in eras of 400 years, which all have 146097 days.
 */
static int64_t days_from_civil(const struct civil *c)
{
    int64_t year = c->month <= 2 ? c->year - 1 : c->year;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = c->month > 2 ? c->month - 3 : c->month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + c->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468; /* 0000-03-01 is day -719468 of the epoch */
}

static struct civil civil_from_days(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t month = (5 * doy + 2) / 153;
    struct civil c;

    c.day = (int)(doy - (153 * month + 2) / 5 + 1);
    c.month = (int)(month < 10 ? month + 3 : month - 9);
    c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
    return c;
}

static int days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* `ms` < 0 leaves the fraction out. */
static const char *format(int64_t t, int ms, char dst[TIMEFMT_MAX])
{
    int64_t days;
    int rest;
    struct civil c;
    char fraction[8] = "";

    if (t < TIME_FIRST)
        t = TIME_FIRST;
    if (t > TIME_LAST)
        t = TIME_LAST;
    days = t / SECONDS_PER_DAY;
    rest = (int)(t % SECONDS_PER_DAY);
    if (rest < 0) {
        rest += SECONDS_PER_DAY;
        days--;
    }
    c = civil_from_days(days);
    if (ms >= 0)
        snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)ms % 1000u);
    snprintf(dst, TIMEFMT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u%sZ", (unsigned)c.year % 10000u,
             (unsigned)c.month % 100u, (unsigned)c.day % 100u, (unsigned)(rest / 3600) % 100u,
             (unsigned)(rest / 60 % 60), (unsigned)(rest % 60), fraction);
    return dst;
}

const char *timefmt_rfc3339(int64_t t, char dst[TIMEFMT_MAX])
{
    return format(t, -1, dst);
}

const char *timefmt_rfc3339_ms(int64_t ms, char dst[TIMEFMT_MAX])
{
    int64_t t = ms / 1000;
    int rest = (int)(ms % 1000);

    if (rest < 0) {
        rest += 1000;
        t--;
    }
    return format(t, rest, dst);
}

/* Exactly `digits` decimal digits within [min, max]; moves *text behind them. */
static bool take_number(const char **text, int digits, int min, int max, int *out)
{
    int value = 0;

    for (int i = 0; i < digits; i++) {
        char ch = (*text)[i];

        if (ch < '0' || ch > '9')
            return false;
        value = value * 10 + (ch - '0');
    }
    if (value < min || value > max)
        return false;
    *text += digits;
    *out = value;
    return true;
}

static bool take_char(const char **text, char upper, char lower)
{
    if (**text != upper && **text != lower)
        return false;
    (*text)++;
    return true;
}

/* "Z" or "+09:00"; seconds east of UTC. */
static bool take_zone(const char **text, int *offset)
{
    int sign = **text == '-' ? -1 : 1;
    int hours;
    int minutes;

    *offset = 0;
    if (take_char(text, 'Z', 'z'))
        return true;
    if (!take_char(text, '+', '-') || !take_number(text, 2, 0, 23, &hours) ||
        !take_char(text, ':', ':') || !take_number(text, 2, 0, 59, &minutes))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

int timefmt_parse(const char *text, int64_t *out)
{
    struct civil c;
    int year;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int offset = 0;

    if (!take_number(&text, 4, 0, YEAR_MAX, &year) || !take_char(&text, '-', '-') ||
        !take_number(&text, 2, 1, 12, &c.month) || !take_char(&text, '-', '-') ||
        !take_number(&text, 2, 1, days_in_month(year, c.month), &c.day))
        return PRA_EINVAL;
    c.year = year;
    if (*text != '\0') {
        if (!take_char(&text, 'T', 't') || !take_number(&text, 2, 0, 23, &hour) ||
            !take_char(&text, ':', ':') || !take_number(&text, 2, 0, 59, &minute) ||
            !take_char(&text, ':', ':') || !take_number(&text, 2, 0, 59, &second))
            return PRA_EINVAL;
        if (take_char(&text, '.', '.')) {
            int digit;

            if (!take_number(&text, 1, 0, 9, &digit))
                return PRA_EINVAL;
            while (take_number(&text, 1, 0, 9, &digit))
                ;
        }
        if (!take_zone(&text, &offset) || *text != '\0')
            return PRA_EINVAL;
    }
    *out = days_from_civil(&c) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second - offset;
    return 0;
}
