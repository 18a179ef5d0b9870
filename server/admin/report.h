/*
 * The monthly report: its numbers as JSON, and as a page to print or a table for a spreadsheet. Only for
 * server/admin/.
 */
#ifndef PRA_SERVER_ADMIN_REPORT_H
#define PRA_SERVER_ADMIN_REPORT_H

#include <stdbool.h>

#include <jansson.h>

#define REPORT_SHOWN     100 /* users and rules in the page; the other formats have all */
#define REPORT_MONTH_LEN 7   /* "2026-10" */

/*
 * A page of its own: style, charts (SVG) and tables in it, in Japanese or English. `report` is what
 * op_report gives. Caller frees. NULL = no memory.
 */
char *report_html(const json_t *report, bool japanese);
/* One line for each day, user, rule, kind; UTF-8 with a mark in front, for spreadsheets. Likewise. */
char *report_csv(const json_t *report);

#endif
