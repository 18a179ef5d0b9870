/*
 * The report as a page that stands by itself: to be read in mail, opened from a file, printed. Its colours are
 * light ones, since it is made for paper; each chart has its numbers in a table below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/admin/report.h"

#define DAYS_MAX     31
#define CHART_WIDTH  680
#define CHART_HEIGHT 120
#define STEP         ((CHART_WIDTH - 60) / DAYS_MAX)

struct page {
    FILE *to;
    bool ja;
    const json_t *report;
};

static const char STYLE[] =
    "<style>"
    "body{font:14px/1.5 \"Noto Sans CJK JP\",\"Hiragino Sans\",Meiryo,system-ui,sans-serif;"
    "color:#17202b;background:#fff;max-width:50em;margin:2em auto;padding:0 1.5em}"
    "h1{font-size:1.6em;margin:0}h2{font-size:1.15em;margin:1.6em 0 .4em;"
    "border-bottom:2px solid #1660a8;padding-bottom:.15em}"
    "p{margin:.4em 0}.quiet{color:#4d5a69;font-size:.9em}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{padding:.25em .5em;border-bottom:1px solid #c9d2dc;text-align:right}"
    "th:first-child,td:first-child,.text{text-align:left}thead th{color:#4d5a69;font-weight:600}"
    ".tiles{display:flex;flex-wrap:wrap;gap:.6em;margin:.8em 0}"
    ".tiles div{border:1px solid #c9d2dc;border-radius:.5em;padding:.4em .9em;min-width:7em}"
    ".tiles span{display:block;color:#4d5a69;font-size:.85em}.tiles b{font-size:1.35em}"
    "svg{width:100%;height:auto;display:block;margin:.3em 0}"
    "@page{size:A4;margin:16mm}@media print{body{margin:0;padding:0;max-width:none}"
    "tr,svg,.tiles div{break-inside:avoid}h2{break-after:avoid}thead{display:table-header-group}}"
    "</style>";

/* ---- pieces ------------------------------------------------------------------------------------- */

/* Ours, in the page's language. */
static const char *word(const struct page *p, const char *ja, const char *en)
{
    return p->ja ? ja : en;
}

/* Text of others. */
static void put_text(const struct page *p, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '<')
            fputs("&lt;", p->to);
        else if (*text == '>')
            fputs("&gt;", p->to);
        else if (*text == '&')
            fputs("&amp;", p->to);
        else if (*text == '"')
            fputs("&quot;", p->to);
        else
            fputc(*text, p->to);
    }
}

static long long number(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

static const char *text_of(const json_t *row, const char *name)
{
    return json_string_value(json_object_get(row, name));
}

#define SHORT_MAX 32

static const char *hours(long long seconds, char out[SHORT_MAX])
{
    snprintf(out, SHORT_MAX, "%lld:%02lld", seconds / 3600, seconds / 60 % 60);
    return out;
}

static const char *bytes(long long n, char out[SHORT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)n;
    size_t unit = 0;

    while (value >= 1024 && unit < 4) {
        value /= 1024;
        unit++;
    }
    snprintf(out, SHORT_MAX, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out;
}

static void put_tile(const struct page *p, const char *label, const char *value)
{
    fprintf(p->to, "<div><span>%s</span><b>%s</b></div>", label, value);
}

static void put_number_tile(const struct page *p, const char *label, long long n)
{
    char text[SHORT_MAX];

    snprintf(text, sizeof(text), "%lld", n);
    put_tile(p, label, text);
}

static void begin_table(const struct page *p, const char *const *heads, size_t count)
{
    fputs("<table><thead><tr>", p->to);
    for (size_t i = 0; i < count; i++)
        fprintf(p->to, "<th scope=\"col\">%s</th>", heads[i]);
    fputs("</tr></thead><tbody>", p->to);
}

static void end_table(const struct page *p)
{
    fputs("</tbody></table>", p->to);
}

static void put_number(const struct page *p, long long n)
{
    fprintf(p->to, "<td>%lld</td>", n);
}

static void put_bytes(const struct page *p, const json_t *row)
{
    char in[SHORT_MAX], out[SHORT_MAX];

    fprintf(p->to, "<td>%s</td><td>%s</td>", bytes(number(row, "bytes_in"), in),
            bytes(number(row, "bytes_out"), out));
}

/* ---- charts ------------------------------------------------------------------------------------- */

/* A bar for each day of the month; `value` of a row is what it shows. */
static void put_chart(const struct page *p, const char *label, long long (*value)(const json_t *),
                      const char *(*show)(long long, char[SHORT_MAX]))
{
    long long of_day[DAYS_MAX] = {0}, most = 0;
    char text[SHORT_MAX];
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(p->report, "days"), i, row)
    {
        const char *day = text_of(row, "day");
        long at = day == NULL || strlen(day) != 10 ? 0 : strtol(day + 8, NULL, 10);

        if (at >= 1 && at <= DAYS_MAX)
            of_day[at - 1] = value(row);
        most = value(row) > most ? value(row) : most;
    }
    fprintf(p->to, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", CHART_WIDTH,
            CHART_HEIGHT + 30, label);
    fprintf(p->to,
            "<text x=\"0\" y=\"11\" font-size=\"11\" fill=\"#4d5a69\">%s: %s</text>"
            "<path d=\"M0 %dH%d\" stroke=\"#4d5a69\"/>",
            label, show(most, text), CHART_HEIGHT + 15, DAYS_MAX * STEP);
    for (int day = 0; day < DAYS_MAX; day++) {
        int height = most == 0 ? 0 : (int)((double)of_day[day] / (double)most * (CHART_HEIGHT - 5));

        if (of_day[day] > 0)
            fprintf(p->to, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#1660a8\"/>",
                    day * STEP + 2, CHART_HEIGHT + 15 - (height > 0 ? height : 1), STEP - 4,
                    height > 0 ? height : 1);
        if (day == 0 || (day + 1) % 5 == 0)
            fprintf(p->to,
                    "<text x=\"%d\" y=\"%d\" font-size=\"10\" text-anchor=\"middle\" "
                    "fill=\"#4d5a69\">%d</text>",
                    day * STEP + STEP / 2, CHART_HEIGHT + 28, day + 1);
    }
    fputs("</svg>", p->to);
}

static long long sessions_of(const json_t *row)
{
    return number(row, "sessions");
}

static long long bytes_of(const json_t *row)
{
    return number(row, "bytes_in") + number(row, "bytes_out");
}

static const char *plain(long long n, char out[SHORT_MAX])
{
    snprintf(out, SHORT_MAX, "%lld", n);
    return out;
}

/* ---- sections ----------------------------------------------------------------------------------- */

static void put_head(const struct page *p)
{
    const char *month = text_of(p->report, "month"), *user = text_of(p->report, "user");
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
    long mon = strtol(month + 5, NULL, 10);
    char title[96];

    if (p->ja)
        snprintf(title, sizeof(title), "PRA 月次レポート %.4s年%ld月", month, mon);
    else
        snprintf(title, sizeof(title), "PRA monthly report, %s %.4s", names[(mon + 11) % 12],
                 month);
    fprintf(p->to,
            "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">"
            "<meta name=\"viewport\" content=\"width=device-width\"><title>%s</title>%s</head>"
            "<body><h1>%s</h1>",
            p->ja ? "ja" : "en", title, STYLE, title);
    if (user != NULL) {
        fprintf(p->to, "<p>%s: <b>", word(p, "ユーザ", "User"));
        put_text(p, user);
        fputs("</b></p>", p->to);
    }
    fprintf(p->to, "<p class=\"quiet\">%s %s – %s (UTC), %s %s. %s %s</p>",
            word(p, "対象期間", "Period"), text_of(p->report, "from"), text_of(p->report, "to"),
            word(p, "ゲートウェイの時間帯", "the gateway's time zone is"),
            text_of(p->report, "zone"), word(p, "作成", "Made"), text_of(p->report, "made"));
    if (!json_is_true(json_object_get(p->report, "complete")))
        fprintf(p->to, "<p><b>%s</b></p>",
                word(p, "この月はまだ終わっていません。これまでの数です。",
                     "This month is not over: these are the numbers so far."));
}

static void put_totals(const struct page *p)
{
    const json_t *t = json_object_get(p->report, "totals");
    char text[SHORT_MAX];

    fputs("<div class=\"tiles\">", p->to);
    put_number_tile(p, word(p, "接続", "Sessions"), number(t, "sessions"));
    if (text_of(p->report, "user") == NULL)
        put_number_tile(p, word(p, "接続したユーザ", "Users connected"), number(t, "users"));
    put_tile(p, word(p, "接続時間(時:分)", "Hours connected"), hours(number(t, "seconds"), text));
    put_tile(p, word(p, "転送先へ", "To targets"), bytes(number(t, "bytes_in"), text));
    put_tile(p, word(p, "クライアントへ", "To clients"), bytes(number(t, "bytes_out"), text));
    put_number_tile(p, word(p, "拒否されたログイン", "Log-ins refused"), number(t, "refused"));
    fputs("</div>", p->to);
}

static void put_days(const struct page *p)
{
    const char *const heads[] = {word(p, "日", "Day"),
                                 word(p, "ユーザ", "Users"),
                                 word(p, "接続", "Sessions"),
                                 word(p, "時間", "Hours"),
                                 word(p, "転送先へ", "To targets"),
                                 word(p, "クライアントへ", "To clients"),
                                 word(p, "ログイン拒否", "Refused")};
    char text[SHORT_MAX];
    json_t *row;
    size_t i;

    fprintf(p->to, "<h2>%s</h2>", word(p, "日別", "Day by day"));
    if (json_array_size(json_object_get(p->report, "days")) == 0) {
        fprintf(p->to, "<p>%s</p>",
                word(p, "この月の利用はありません。", "Nothing was used in this month."));
        return;
    }
    put_chart(p, word(p, "1 日の接続(最大)", "Sessions a day, at most"), sessions_of, plain);
    put_chart(p, word(p, "1 日の通信量(最大)", "Bytes a day, at most"), bytes_of, bytes);
    begin_table(p, heads, sizeof(heads) / sizeof(heads[0]));
    json_array_foreach(json_object_get(p->report, "days"), i, row)
    {
        fprintf(p->to, "<tr><td>%s</td>", text_of(row, "day"));
        put_number(p, number(row, "users"));
        put_number(p, number(row, "sessions"));
        fprintf(p->to, "<td>%s</td>", hours(number(row, "seconds"), text));
        put_bytes(p, row);
        put_number(p, number(row, "refused"));
        fputs("</tr>", p->to);
    }
    end_table(p);
}

/* How many rows are not shown. */
static void put_rest(const struct page *p, size_t count)
{
    if (count > REPORT_SHOWN)
        fprintf(p->to, "<p class=\"quiet\">%s: %zu (CSV, JSON)</p>",
                word(p, "このほか", "More that are not shown"), count - REPORT_SHOWN);
}

static void put_users(const struct page *p)
{
    const char *const heads[] = {
        word(p, "ユーザ", "User"),         word(p, "日数", "Days"),
        word(p, "接続", "Sessions"),       word(p, "時間", "Hours"),
        word(p, "転送先へ", "To targets"), word(p, "クライアントへ", "To clients"),
        word(p, "ログイン拒否", "Refused")};
    const json_t *users = json_object_get(p->report, "users");
    char text[SHORT_MAX];
    json_t *row;
    size_t i;

    if (text_of(p->report, "user") != NULL || json_array_size(users) == 0)
        return;
    fprintf(p->to, "<h2>%s</h2>", word(p, "ユーザ別(通信量順)", "Users, most bytes first"));
    begin_table(p, heads, sizeof(heads) / sizeof(heads[0]));
    json_array_foreach(users, i, row)
    {
        if (i == REPORT_SHOWN)
            break;
        fputs("<tr><td>", p->to);
        put_text(p, text_of(row, "user"));
        fputs("</td>", p->to);
        put_number(p, number(row, "days"));
        put_number(p, number(row, "sessions"));
        fprintf(p->to, "<td>%s</td>", hours(number(row, "seconds"), text));
        put_bytes(p, row);
        put_number(p, number(row, "refused"));
        fputs("</tr>", p->to);
    }
    end_table(p);
    put_rest(p, json_array_size(users));
}

static void put_rules(const struct page *p)
{
    const char *const heads[] = {word(p, "ルール", "Rule"), word(p, "通信", "Connections"),
                                 word(p, "転送先へ", "To targets"),
                                 word(p, "クライアントへ", "To clients")};
    const json_t *rules = json_object_get(p->report, "rules");
    json_t *row;
    size_t i;

    if (json_array_size(rules) == 0)
        return;
    fprintf(p->to, "<h2>%s</h2>", word(p, "ルール別(通信量順)", "Rules, most bytes first"));
    begin_table(p, heads, sizeof(heads) / sizeof(heads[0]));
    json_array_foreach(rules, i, row)
    {
        if (i == REPORT_SHOWN)
            break;
        fprintf(p->to, "<tr><td>#%lld ", number(row, "rule"));
        put_text(p, text_of(row, "name"));
        fputs("</td>", p->to);
        put_number(p, number(row, "channels"));
        put_bytes(p, row);
        fputs("</tr>", p->to);
    }
    end_table(p);
    put_rest(p, json_array_size(rules));
}

/* Words of the gateway as people call them, the portal's page too; one that is not here stays as it is. */
static const char *word_of(const struct page *p, const char *item, const char *value)
{
    static const struct {
        const char *item, *value, *ja, *en;
    } words[] = {
        {"severity", "critical", "重大", "critical"},
        {"severity", "warning", "警告", "warning"},
        {"severity", "notice", "お知らせ", "notice"},
        {"severity", "", "※調査中※", "not judged yet"},
        {"kind", "gateway-start", "ゲートウェイ起動", "gateway started"},
        {"kind", "gateway-stop", "ゲートウェイ停止", "gateway stopped"},
        {"kind", "login", "ログイン", "log-in"},
        {"kind", "login-refused", "ログイン拒否", "log-in refused"},
        {"kind", "logout", "ログアウト", "log-out"},
        {"kind", "tunnel-join", "副接続の開始", "second connection"},
        {"kind", "join-refused", "副接続の拒否", "second connection refused"},
        {"kind", "tunnel-leave", "副接続の終了", "second connection ended"},
        {"kind", "channel-open", "転送開始", "forward opened"},
        {"kind", "channel-refused", "転送拒否", "forward refused"},
        {"kind", "channel-failed", "転送先に接続できない", "target did not answer"},
        {"kind", "channel-close", "転送終了", "forward closed"},
        {"kind", "channel-cut", "転送の遮断", "forward cut"},
        {"kind", "request-refused", "要求の拒否", "request refused"},
        {"kind", "session-cut", "接続の切断", "session ended"},
        {"kind", "protocol-error", "プロトコルエラー", "protocol error"},
        {"kind", "port-report", "ローカルポートの報告", "local ports"},
        {"kind", "clock-difference", "時刻のずれ", "clock differs"},
        {"kind", "log-head", "ログの照合値", "log heads"},
        {"kind", "enroll", "端末の登録", "enrolment"},
        {"kind", "log-bundle", "ログの受信", "logs received"},
        {"kind", "sandbox-violation", "サンドボックス違反", "ended by the sandbox"},
        {"kind", "admin", "管理操作", "administration"},
        {"kind", "account-login", "管理ログイン", "management log-in"},
        {"kind", "account-refused", "管理ログイン拒否", "management log-in refused"},
        {"kind", "account-reset", "パスワードの再設定", "password set anew"},
        {"kind", "mail-sent", "メール送信", "mail sent"},
        {"kind", "mail-failed", "メール送信の失敗", "mail not sent"},
        {"kind", "limit", "通信速度の制限", "speed limited"},
        {"kind", "clone", "鍵の複製の疑い", "one key on two machines"},
        {"kind", "ticket", "端末のチケット", "ticket of a device"},
        {"kind", "alert", "アラート", "alert"},
        {"kind", "audit-expired", "保存期間の過ぎた記録の削除", "old records deleted"},
        {"kind", "audit-overflow", "記録の間引き", "records thinned"},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(item, words[i].item) == 0 && strcmp(value, words[i].value) == 0)
            return word(p, words[i].ja, words[i].en);
    }
    return value;
}

/* A table of words and numbers. */
static void put_counts(const struct page *p, const char *title, const char *list, const char *item,
                       const char *head)
{
    const char *const heads[] = {head, word(p, "件数", "Count")};
    const json_t *rows = json_object_get(p->report, list);
    json_t *row;
    size_t i;

    if (json_array_size(rows) == 0)
        return;
    fprintf(p->to, "<h2>%s</h2>", title);
    begin_table(p, heads, 2);
    json_array_foreach(rows, i, row)
    {
        fputs("<tr><td>", p->to);
        put_text(p, word_of(p, item, text_of(row, item)));
        fputs("</td>", p->to);
        put_number(p, number(row, "count"));
        fputs("</tr>", p->to);
    }
    end_table(p);
}

static void put_notes(const struct page *p)
{
    long long thinned = number(p->report, "thinned"),
              open = number(json_object_get(p->report, "totals"), "open");

    fprintf(p->to, "<h2>%s</h2><p class=\"quiet\">%s</p>",
            word(p, "集計について", "How this was counted"),
            word(p,
                 "件数は正確です。通信量は接続が終わった日に、時間はその日に数えます。名前のないロ"
                 "グイン拒否は、"
                 "登録されていないユーザ名によるものです。",
                 "Counts are exact. Bytes count on the day on which a connection ended, hours on "
                 "the day "
                 "itself. Refusals of names that are nobody's are in the sums only."));
    if (open > 0)
        fprintf(p->to, "<p class=\"quiet\">%s: %lld</p>",
                word(p, "まだ終わっていない接続(通信量は終了後に加わります)",
                     "Sessions that have not ended; their bytes follow when they do"),
                open);
    if (thinned > 0)
        fprintf(p->to, "<p><b>%s: %lld</b></p>",
                word(p, "大量発生のため、記録を残さず件数だけを数えたもの",
                     "Counted without a record of each, since there were so many at once"),
                thinned);
    else
        fprintf(p->to, "<p class=\"quiet\">%s</p>",
                word(p, "間引かれた記録はありません。", "No record was thinned out."));
}

char *report_html(const json_t *report, bool japanese)
{
    struct page p = {.ja = japanese, .report = report};
    char *text = NULL;
    size_t len = 0;
    bool good;

    p.to = open_memstream(&text, &len);
    if (p.to == NULL)
        return NULL;
    put_head(&p);
    put_totals(&p);
    put_days(&p);
    put_users(&p);
    put_rules(&p);
    put_counts(&p, word(&p, "アラート", "Alerts"), "alerts", "severity",
               word(&p, "重要度", "Severity"));
    put_counts(&p, word(&p, "できごとの件数", "What happened, counted"), "counts", "kind",
               word(&p, "種類", "Kind"));
    put_notes(&p);
    fputs("</body></html>\n", p.to);
    good = ferror(p.to) == 0;
    if (fclose(p.to) == 0 && good)
        return text;
    free(text);
    return NULL;
}
