/* Status and forwards for people's eyes; see cli_show.h. */
#include "client/cli_show.h"

#include <string.h>
#include <time.h>

#include "client/cli.h"
#include "client/cli_text.h"
#include "common/timefmt.h"

struct state_look {
    const char *state, *mark;
    const char *word[CLI_LANGS];
    enum text_style style;
};

static const struct state_look connection_looks[] = {
    {"connected", "●", {"connected", "接続中"}, TEXT_GOOD},
    {"connecting", "…", {"connecting", "接続処理中"}, TEXT_WARN},
    {"waiting", "▲", {"waiting to reconnect", "再接続待ち"}, TEXT_WARN},
    {"code", "▲", {"waiting for a code", "コードの入力待ち"}, TEXT_WARN},
    {"error", "×", {"failed", "接続エラー"}, TEXT_BAD},
    {"disconnected", "○", {"not connected", "未接続"}, TEXT_PLAIN},
};

static const struct state_look forward_looks[] = {
    {"listening", "●", {"ready", "使用できます"}, TEXT_GOOD},
    {"conflict", "×", {"port taken", "ポート使用中"}, TEXT_BAD},
    {"denied", "×", {"not permitted", "権限がありません"}, TEXT_BAD},
};

static const struct state_look *find_look(const struct state_look *looks, size_t n,
                                          const char *state)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(looks[i].state, state) == 0)
            return &looks[i];
    return NULL;
}

#define CONNECTION_LOOKS (sizeof(connection_looks) / sizeof(connection_looks[0]))
#define FORWARD_LOOKS    (sizeof(forward_looks) / sizeof(forward_looks[0]))

const char *show_member(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s != NULL ? s : "";
}

const char *show_forward_word(const char *state)
{
    const struct state_look *look = find_look(forward_looks, FORWARD_LOOKS, state);

    return look != NULL ? look->word[i18n_lang()] : state;
}

/* The agent's words for a holder whose process this user may not see. */
static const char hidden_holder[] = "a program of user ";

#define PROGRAM_MAX 256
#define PID_MAX     32

/* Program and process of a holder in this language; "?" for a process that is not visible. */
static void name_holder(const json_t *holder, char program[PROGRAM_MAX], char pid[PID_MAX])
{
    const char *name = show_member(holder, "program");
    json_int_t number = json_integer_value(json_object_get(holder, "pid"));

    snprintf(pid, PID_MAX, number > 0 ? "%lld" : "?", (long long)number);
    if (strncmp(name, hidden_holder, strlen(hidden_holder)) == 0)
        snprintf(program, PROGRAM_MAX, tr("a program of user %s", "ユーザ %s のプログラム"),
                 name + strlen(hidden_holder));
    else if (name[0] == '\0' || strcmp(name, "?") == 0) /* it has gone meanwhile, or is hidden */
        snprintf(program, PROGRAM_MAX, "%s",
                 tr("a program that cannot be seen", "確認できないプログラム"));
    else
        snprintf(program, PROGRAM_MAX, "%s", name);
}

enum msg_id show_trouble(const json_t *forward, struct msg_text *out)
{
    const json_t *holder = json_object_get(forward, "holder");
    const char *state = show_member(forward, "state"), *error = show_member(forward, "error");
    char program[PROGRAM_MAX], pid[PID_MAX];
    struct msg_args args = {.port = show_member(forward, "local"), .program = program, .pid = pid};
    enum msg_id id = MSG_NONE;

    if (strcmp(state, "conflict") == 0 && json_is_object(holder))
        id = MSG_PORT_BUSY;
    else if (strncmp(error, "ERR(10302)", strlen("ERR(10302)")) == 0)
        id = MSG_PORT_DENIED;
    if (id == MSG_NONE)
        return id;
    name_holder(holder, program, pid);
    msg_format(id, i18n_lang(), &args, out);
    return id;
}

bool show_moved(const json_t *forward, char *dst, size_t cap)
{
    const json_t *holder = json_object_get(forward, "holder");
    char program[PROGRAM_MAX], pid[PID_MAX];

    if (strcmp(show_member(forward, "state"), "listening") != 0 || !json_is_object(holder))
        return false;
    name_holder(holder, program, pid);
    snprintf(dst, cap,
             tr("Its own port is used by %s (process %s): set your program to %s.",
                "本来のポートは %s(プロセス %s)が使用中です。アプリケーションには %s を"
                "設定してください。"),
             program, pid, show_member(forward, "local"));
    return true;
}

/* Under a forward that does not listen: who is in the way, and what to do. */
static void note_trouble(struct table *t, const json_t *forward)
{
    struct msg_text text;
    char line[MSG_TEXT_MAX + 16];

    if (show_trouble(forward, &text) == MSG_NONE) {
        /* Why an address cannot be opened is the system's word, which only the agent has. */
        msg_format(MSG_PORT_ADDRESS, i18n_lang(), NULL, &text);
        table_note(t, 1, show_member(forward, "error"));
        table_note(t, 1, text.remedy);
        return;
    }
    snprintf(line, sizeof(line), "%s %s", text.code, text.cause);
    table_note(t, 1, line);
    table_note(t, 1, text.remedy);
}

static void add_forward(struct table *t, const json_t *forward, bool with_traffic)
{
    const char *state = show_member(forward, "state");
    const struct state_look *look = find_look(forward_looks, FORWARD_LOOKS, state);
    char count[32] = "", in[16] = "", out[16] = "", traffic[64] = "", moved[TABLE_CELL_MAX];

    if (with_traffic && look != NULL && look->style == TEXT_GOOD) {
        snprintf(count, sizeof(count), "%lld",
                 (long long)json_integer_value(json_object_get(forward, "connections")));
        text_bytes(in,
                   (unsigned long long)json_integer_value(json_object_get(forward, "bytes_in")));
        text_bytes(out,
                   (unsigned long long)json_integer_value(json_object_get(forward, "bytes_out")));
        snprintf(traffic, sizeof(traffic), "↓ %s  ↑ %s", in, out);
    }
    table_row(t, look != NULL ? look->style : TEXT_PLAIN,
              (const char *[]){look != NULL ? look->mark : "?", show_member(forward, "name"),
                               show_member(forward, "local"), show_member(forward, "target"),
                               look != NULL ? look->word[i18n_lang()] : state, count, traffic});
    if (look == NULL || look->style != TEXT_GOOD)
        note_trouble(t, forward);
    else if (show_moved(forward, moved, sizeof(moved)))
        table_note(t, 1, moved);
}

void show_forwards(FILE *to, const json_t *forwards, bool with_traffic)
{
    struct table *t = table_new(7);
    const json_t *forward;
    size_t i;

    if (json_array_size(forwards) == 0) {
        table_free(t);
        return;
    }
    table_row(t, TEXT_PLAIN,
              (const char *[]){"", tr("Name", "名前"), tr("On this PC", "この PC のポート"),
                               tr("Target", "転送先"), tr("State", "状態"),
                               with_traffic ? tr("Open", "接続数") : "",
                               with_traffic ? tr("Traffic", "通信量") : ""});
    json_array_foreach((json_t *)forwards, i, forward)
    {
        add_forward(t, forward, with_traffic);
    }
    table_print(t, to, 0);
    table_free(t);
}

void show_local_time(const char *rfc3339, char *dst, size_t cap)
{
    int64_t seconds;
    time_t t;
    struct tm tm;

    snprintf(dst, cap, "%s", rfc3339);
    if (timefmt_parse(rfc3339, &seconds) != 0)
        return;
    t = (time_t)seconds;
    if (localtime_r(&t, &tm) != NULL)
        strftime(dst, cap, "%Y-%m-%d %H:%M:%S", &tm);
}

static void add_line(struct table *t, const char *label, const char *value)
{
    if (value[0] != '\0')
        table_row(t, TEXT_PLAIN, (const char *[]){label, value});
}

void show_status(FILE *to, const json_t *status)
{
    const char *state = show_member(status, "state");
    const struct state_look *look = find_look(connection_looks, CONNECTION_LOOKS, state);
    const json_t *retry = json_object_get(status, "retry_in");
    struct table *t = table_new(2);
    char clean[64], word[128], since[64], wait[64] = "";

    snprintf(word, sizeof(word), "%s %s", look != NULL ? look->mark : "?",
             look != NULL ? look->word[i18n_lang()] : text_clean(clean, sizeof(clean), state));
    show_local_time(show_member(status, "since"), since, sizeof(since));
    if (json_is_number(retry))
        snprintf(wait, sizeof(wait), tr("in %.0f s", "%.0f 秒後"), json_number_value(retry));
    fprintf(to, "%s: ", tr("Status", "ステータス"));
    text_styled(to, look != NULL ? look->style : TEXT_PLAIN, word);
    fputc('\n', to);
    add_line(t, tr("Server", "サーバ"), show_member(status, "server"));
    add_line(t, tr("User", "ユーザ名"), show_member(status, "user"));
    add_line(t, tr("Since", "開始"), since);
    add_line(t, tr("Next try", "次の試行"), wait);
    table_print(t, to, 2);
    table_free(t);
    if (json_is_object(json_object_get(status, "error")))
        cli_print_error(to, json_object_get(status, "error"));
    if (json_array_size(json_object_get(status, "forwards")) > 0)
        fputc('\n', to);
    show_forwards(to, json_object_get(status, "forwards"), true);
}
