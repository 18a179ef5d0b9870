/* Collects the checks, prints them as a list and a table, or as JSON; see check.h. */
#include "client/check.h"

#include <stdarg.h>
#include <string.h>

#include "client/cli_text.h"
#include "common/i18n.h"
#include "common/os.h"

void check_add(struct check *c, const char *id, enum check_state state, const char *detail,
               const char *fmt, ...)
{
    struct check_item *item = &c->item[c->items];
    char raw[CHECK_TEXT_MAX];
    va_list ap;

    if (c->items == CHECK_ITEMS_MAX)
        return;
    c->items++;
    item->state = state;
    item->code = "";
    text_clean(item->id, sizeof(item->id), id);
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    text_clean(item->text, sizeof(item->text), raw);
    text_clean(item->detail, sizeof(item->detail), detail != NULL ? detail : "");
}

void check_add_code(struct check *c, enum msg_id id)
{
    if (c->items > 0 && c->items < CHECK_ITEMS_MAX)
        c->item[c->items - 1].code = msg_entry(id, i18n_lang())->code;
}

void check_add_port(struct check *c, uint16_t port, enum check_direction direction,
                    const char *protocol, bool mandatory, enum check_reach reach,
                    const char *detail)
{
    struct check_port *p = &c->port[c->ports];

    if (c->ports == CHECK_PORTS_MAX)
        return;
    c->ports++;
    *p = (struct check_port){.port = port,
                             .direction = direction,
                             .protocol = protocol,
                             .mandatory = mandatory,
                             .reach = reach};
    text_clean(p->detail, sizeof(p->detail), detail);
}

int check_step_ms(const struct check *c)
{
    uint64_t now = os_monotonic_ms();
    uint64_t left = now < c->deadline ? c->deadline - now : 0;

    return left < CHECK_STEP_MS ? (int)left : CHECK_STEP_MS;
}

void check_run(const struct paths *paths, struct check *c)
{
    struct fault f = {0};

    memset(c, 0, sizeof(*c));
    c->paths = paths;
    c->deadline = os_monotonic_ms() + CHECK_TOTAL_MS;
    c->has_config = config_load(paths->config_file, &c->config, &f) == 0;
    if (!c->has_config)
        check_add(c, "config", CHECK_FAIL,
                  tr("Mend this line, or remove the file and set the server again.",
                     "該当の行を直すか、ファイルを削除してサーバ設定をやり直してください。"),
                  tr("Settings: %s", "設定ファイル: %s"), f.text);
    check_network(c);
    check_gateway(c);
    check_key(c);
    check_ports(c);
}

bool check_failed(const struct check *c)
{
    for (size_t i = 0; i < c->items; i++)
        if (c->item[i].state == CHECK_FAIL)
            return true;
    return false;
}

static const char *direction_word(enum check_direction d)
{
    return d == CHECK_OUT ? tr("out", "外向き") : tr("on this PC", "PC 内");
}

static const char *reach_word(enum check_reach reach)
{
    switch (reach) {
    case CHECK_OPEN:
        return tr("open", "開いています");
    case CHECK_CLOSED:
        return tr("closed", "閉じています");
    case CHECK_UNTESTED:
        break;
    }
    return tr("not tested", "未確認");
}

static void print_ports(const struct check *c, FILE *to)
{
    struct table *t = table_new(6);

    table_row(t, TEXT_PLAIN,
              (const char *[]){"", tr("Port", "ポート"), tr("Direction", "方向"),
                               tr("Protocol", "プロトコル"), tr("State", "状態"),
                               tr("Detail", "詳細")});
    for (size_t i = 0; i < c->ports; i++) {
        const struct check_port *p = &c->port[i];
        char number[8];

        snprintf(number, sizeof(number), "%u", p->port);
        table_row(t, TEXT_PLAIN,
                  (const char *[]){p->mandatory ? "※" : "", number, direction_word(p->direction),
                                   p->protocol, reach_word(p->reach), p->detail});
    }
    table_print(t, to, 0);
    table_free(t);
    fputs(
        tr("※ PRA cannot connect unless this port is open. Nothing has to be opened inbound.\n",
           "※ "
           "このポートが開いていないと接続できません。外から内向きに開けるポートはありません。\n"),
        to);
}

void check_print(const struct check *c, FILE *to)
{
    static const char *const marks[] = {"●", "▲", "×"};
    static const enum text_style styles[] = {TEXT_GOOD, TEXT_WARN, TEXT_BAD};
    const char *words[] = {tr("ok", "正常"), tr("note", "注意"), tr("fail", "異常")};
    struct table *t = table_new(2);
    size_t count[3] = {0};

    for (size_t i = 0; i < c->items; i++) {
        const struct check_item *item = &c->item[i];
        char mark[32], text[CHECK_TEXT_MAX + 16];

        snprintf(text, sizeof(text), "%s%s%s", item->code, item->code[0] != '\0' ? " " : "",
                 item->text);
        snprintf(mark, sizeof(mark), "%s %s", marks[item->state], words[item->state]);
        count[item->state]++;
        table_row(t, styles[item->state], (const char *[]){mark, text});
        if (item->detail[0] != '\0')
            table_note(t, 1, item->detail);
    }
    table_print(t, to, 0);
    table_free(t);
    fputc('\n', to);
    print_ports(c, to);
    fprintf(to, tr("\nok %zu, notes %zu, failed %zu\n", "\n正常 %zu、注意 %zu、異常 %zu\n"),
            count[CHECK_OK], count[CHECK_WARN], count[CHECK_FAIL]);
}

static json_t *port_json(const struct check_port *p)
{
    static const char *const reach[] = {"open", "closed", "untested"};

    return json_pack("{s:i, s:s, s:s, s:s, s:b, s:s}", "port", (int)p->port, "direction",
                     p->direction == CHECK_OUT ? "out" : "local", "protocol", p->protocol, "detail",
                     p->detail, "mandatory", (int)p->mandatory, "state", reach[p->reach]);
}

json_t *check_json(const struct check *c)
{
    static const char *const states[] = {"ok", "warn", "fail"};
    json_t *checks = json_array(), *ports = json_array();

    for (size_t i = 0; i < c->items; i++)
        json_array_append_new(checks,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", c->item[i].id, "state",
                                        states[c->item[i].state], "code", c->item[i].code, "text",
                                        c->item[i].text, "detail", c->item[i].detail));
    for (size_t i = 0; i < c->ports; i++)
        json_array_append_new(ports, port_json(&c->port[i]));
    return json_pack("{s:o, s:o}", "checks", checks, "ports", ports);
}
