/* Pure; see tray_state.h. Names and words come from cli_show.h, so that window and terminal agree. */
#include "client/tray/tray_state.h"

#include <stdio.h>
#include <string.h>

#include "client/cli_show.h"
#include "client/cli_text.h"
#include "client/problem.h"
#include "common/i18n.h"
#include "common/utf8.h"

const char *tray_shape_word(enum tray_shape shape)
{
    static const char *const words[TRAY_SHAPE_COUNT] = {
        [TRAY_OFF] = "off",       [TRAY_CONNECTING] = "connecting", [TRAY_ON] = "on",
        [TRAY_PARTLY] = "partly", [TRAY_ERROR] = "error",           [TRAY_ACTION] = "action"};

    return words[shape];
}

static bool in_state(const json_t *status, const char *state)
{
    return strcmp(show_member(status, "state"), state) == 0;
}

/* --- what is wrong ---------------------------------------------------------------------------- */

static void fill_trouble(const struct tray_facts *facts, struct tray_view *view)
{
    const json_t *error = json_object_get(facts->status, "error");
    char seconds[24];
    struct msg_args args;

    if (!json_is_object(error))
        return;
    view->has_trouble = true;
    view->problem = problem_read(error, &args);
    if (view->problem != MSG_NONE) {
        if (view->retry_in >= 0) { /* the agent's number is as old as its message */
            snprintf(seconds, sizeof(seconds), "%ld", view->retry_in);
            args.seconds = seconds;
        }
        msg_format(view->problem, i18n_lang(), &args, &view->trouble);
        return;
    }
    /* From an agent that knows more messages than we do: its own words. */
    view->trouble.code = show_member(error, "code");
    view->trouble.title = show_member(error, "message");
    text_clean(view->trouble.cause, sizeof(view->trouble.cause), show_member(error, "cause"));
    text_clean(view->trouble.remedy, sizeof(view->trouble.remedy), show_member(error, "remedy"));
}

/* What the person at the PC can do about a problem; the administrator's part is in its remedy. */
static enum tray_step step_for(enum msg_id problem)
{
    switch (problem) {
    case MSG_KEY_PASSPHRASE:
        return TRAY_STEP_PASSPHRASE;
    case MSG_HOSTKEY_UNKNOWN:
        return TRAY_STEP_HOST_KEY;
    case MSG_KEY_UNREGISTERED:
        return TRAY_STEP_REGISTER;
    case MSG_KEY_MISSING:
    case MSG_KEY_MACHINE:
    case MSG_KEY_DISK:
    case MSG_KEY_DAMAGED:
    case MSG_KEY_REVOKED:
        return TRAY_STEP_KEY;
    default:
        return TRAY_STEP_NONE;
    }
}

static const char *step_words(enum tray_step step)
{
    switch (step) {
    case TRAY_STEP_SERVER:
        return tr("Action needed: set the server address",
                  "要操作: SUS サーバアドレスを設定してください");
    case TRAY_STEP_KEY:
        return tr("Action needed: make a key for this PC",
                  "要操作: この PC の鍵を生成してください");
    case TRAY_STEP_PASSPHRASE:
        return tr("Action needed: type the passphrase again",
                  "要操作: パスフレーズをもう一度入力してください");
    case TRAY_STEP_HOST_KEY:
        return tr("Action needed: compare the gateway's fingerprint",
                  "要操作: ゲートウェイの指紋を確認してください");
    case TRAY_STEP_CODE:
        return tr("Action needed: type the code of your authenticator app",
                  "要操作: 認証アプリのコードを入力してください");
    case TRAY_STEP_REGISTER:
        return tr("Waiting for the administrator to register the key",
                  "システム管理者さまによる公開鍵の登録を待っています");
    default:
        return "";
    }
}

/* --- the view --------------------------------------------------------------------------------- */

static void count_forwards(const json_t *status, struct tray_view *view)
{
    const json_t *forwards = json_object_get(status, "forwards");

    view->forwards = json_array_size(forwards);
    for (size_t i = 0; i < view->forwards; i++)
        view->ready += in_state(json_array_get(forwards, i), "listening");
}

static void say_where(const json_t *status, struct tray_view *view)
{
    char server[TRAY_TEXT_MAX], user[96];

    text_clean(server, sizeof(server), show_member(status, "server"));
    text_clean(user, sizeof(user), show_member(status, "user"));
    snprintf(view->detail, sizeof(view->detail), "%.150s%s%s", server,
             server[0] != '\0' && user[0] != '\0' ? "  " : "", user);
    utf8_mend(view->detail);
}

static void look_connected(struct tray_view *view)
{
    view->can_disconnect = true;
    if (view->ready == view->forwards) {
        view->shape = TRAY_ON;
        snprintf(view->headline, sizeof(view->headline),
                 tr("Connected, all %zu forwards ready", "接続中 (ポート転送 %zu 件すべて使用可)"),
                 view->forwards);
    } else {
        view->shape = view->ready > 0 ? TRAY_PARTLY : TRAY_ERROR;
        /* By hand where the order differs: not every system has %1$zu. */
        if (i18n_lang() == LANG_JA)
            snprintf(view->headline, sizeof(view->headline),
                     "接続中 (ポート転送 %zu 件のうち %zu 件が使用可)", view->forwards,
                     view->ready);
        else
            snprintf(view->headline, sizeof(view->headline), "Connected, %zu of %zu forwards ready",
                     view->ready, view->forwards);
    }
}

static void look_waiting(const struct tray_facts *facts, struct tray_view *view)
{
    const json_t *retry = json_object_get(facts->status, "retry_in");
    long left = (long)json_integer_value(retry) - facts->age;

    view->shape = TRAY_CONNECTING;
    view->can_disconnect = view->can_retry = true;
    view->retry_in = left > 0 ? left : 0;
    snprintf(view->headline, sizeof(view->headline),
             tr("Not connected, next try in %ld s", "再接続待ち (%ld 秒後に再試行します)"),
             view->retry_in);
}

static void look_failed(struct tray_view *view)
{
    view->shape = TRAY_ERROR;
    view->can_connect = true;
    /* The one failure whose session lives on: it waits for a first rule. */
    view->can_disconnect = view->problem == MSG_RULES_NONE;
    snprintf(view->headline, sizeof(view->headline),
             tr("Not connected: %s %s", "接続エラー: %s %s"), view->trouble.code,
             view->trouble.title);
    view->next = step_for(view->problem);
    if (view->next == TRAY_STEP_NONE)
        return;
    view->shape = TRAY_ACTION;
    snprintf(view->headline, sizeof(view->headline), "%s", step_words(view->next));
}

/* The key is open, and the connection waits for a person. */
static void look_code(struct tray_view *view)
{
    view->shape = TRAY_ACTION;
    view->can_disconnect = view->can_code = true;
    view->next = TRAY_STEP_CODE;
    snprintf(view->headline, sizeof(view->headline), "%s", step_words(view->next));
}

/* Not connected and nothing failed: the next thing that is missing. */
static void look_off(const struct tray_facts *facts, struct tray_view *view)
{
    view->next = !facts->has_server ? TRAY_STEP_SERVER
                 : !facts->has_key  ? TRAY_STEP_KEY
                                    : TRAY_STEP_CONNECT;
    view->can_connect = view->next == TRAY_STEP_CONNECT;
    view->shape = view->can_connect ? TRAY_OFF : TRAY_ACTION;
    snprintf(view->headline, sizeof(view->headline), "%s",
             view->can_connect ? tr("Not connected", "未接続") : step_words(view->next));
}

void tray_look(const struct tray_facts *facts, struct tray_view *view)
{
    const json_t *status = facts->status;

    memset(view, 0, sizeof(*view));
    view->retry_in = -1;
    view->trouble.code = view->trouble.title = "";
    say_where(status, view);
    count_forwards(status, view);
    if (in_state(status, "waiting"))
        look_waiting(facts, view);
    fill_trouble(facts, view);
    if (in_state(status, "connected")) {
        look_connected(view);
    } else if (in_state(status, "connecting")) {
        view->shape = TRAY_CONNECTING;
        view->can_disconnect = true;
        snprintf(view->headline, sizeof(view->headline), "%s",
                 tr("Connecting ...", "接続処理中です ..."));
    } else if (in_state(status, "code")) {
        look_code(view);
    } else if (in_state(status, "error")) {
        look_failed(view);
    } else if (!in_state(status, "waiting")) {
        look_off(facts, view);
    }
}

/* --- the list of forwards --------------------------------------------------------------------- */

size_t tray_row_count(const json_t *status)
{
    return json_array_size(json_object_get(status, "forwards"));
}

static void fill_traffic(const json_t *forward, struct tray_row *row)
{
    char in[16], out[16];

    snprintf(row->connections, sizeof(row->connections), "%lld",
             (long long)json_integer_value(json_object_get(forward, "connections")));
    text_bytes(in, (unsigned long long)json_integer_value(json_object_get(forward, "bytes_in")));
    text_bytes(out, (unsigned long long)json_integer_value(json_object_get(forward, "bytes_out")));
    snprintf(row->traffic, sizeof(row->traffic), "↓ %s  ↑ %s", in, out);
}

static void fill_note(const json_t *forward, struct tray_row *row)
{
    struct msg_text text;

    if (row->ready) {
        (void)show_moved(forward, row->note, sizeof(row->note));
    } else if (show_trouble(forward, &text) != MSG_NONE) {
        snprintf(row->note, sizeof(row->note), "%s %s\n%s", text.code, text.cause, text.remedy);
    } else {
        msg_format(MSG_PORT_ADDRESS, i18n_lang(), NULL, &text);
        snprintf(row->note, sizeof(row->note), "%s\n%s", show_member(forward, "error"),
                 text.remedy);
    }
    utf8_mend(row->note);
}

/* Cleans line by line: a break that we made is kept. */
static void clean_note(struct tray_row *row)
{
    char clean[sizeof(row->note)] = "";
    char *rest = strchr(row->note, '\n');

    if (rest != NULL)
        *rest++ = '\0';
    text_clean(clean, MSG_TEXT_MAX - 1, row->note);
    if (rest != NULL) {
        size_t len = strlen(clean);

        clean[len++] = '\n';
        text_clean(clean + len, MSG_TEXT_MAX, rest);
    }
    memcpy(row->note, clean, sizeof(clean));
}

void tray_row(const json_t *status, size_t i, struct tray_row *row)
{
    const json_t *forward = json_array_get(json_object_get(status, "forwards"), i);

    memset(row, 0, sizeof(*row));
    row->ready = in_state(forward, "listening");
    snprintf(row->mark, sizeof(row->mark), "%s", row->ready ? "●" : "×");
    text_clean(row->word, sizeof(row->word), show_forward_word(show_member(forward, "state")));
    text_clean(row->name, sizeof(row->name), show_member(forward, "name"));
    text_clean(row->local, sizeof(row->local), show_member(forward, "local"));
    text_clean(row->target, sizeof(row->target), show_member(forward, "target"));
    fill_traffic(forward, row);
    fill_note(forward, row);
    clean_note(row);
}

/* --- the menu --------------------------------------------------------------------------------- */

struct menu {
    struct tray_item *items;
    size_t count;
};

static struct tray_item *add(struct menu *m, enum tray_command command, bool enabled,
                             const char *label)
{
    struct tray_item *item = &m->items[m->count++];

    memset(item, 0, sizeof(*item));
    item->command = command;
    item->enabled = enabled;
    snprintf(item->label, sizeof(item->label), "%s", label);
    return item;
}

static void add_forwards(struct menu *m, const json_t *status)
{
    size_t rows = tray_row_count(status);
    struct tray_row row;
    char label[TRAY_CELL_MAX];

    for (size_t i = 0; i < rows && i < TRAY_MENU_FORWARDS; i++) {
        tray_row(status, i, &row);
        snprintf(label, sizeof(label), "%s %.100s  %.100s  (%s)", row.mark, row.name, row.local,
                 row.word);
        utf8_mend(label);
        add(m, TRAY_CMD_COPY, true, label)->row = i;
    }
    if (rows > 0)
        add(m, TRAY_CMD_LINE, false, "");
}

size_t tray_menu(const struct tray_facts *facts, const struct tray_view *view,
                 struct tray_item *items)
{
    struct menu m = {.items = items};
    char label[TRAY_CELL_MAX];

    add(&m, TRAY_CMD_OPEN, true, view->headline);
    if (view->can_retry) {
        snprintf(label, sizeof(label), tr("Retry now (%ld s left)", "今すぐ再接続 (残り %ld 秒)"),
                 view->retry_in);
        add(&m, TRAY_CMD_RETRY, true, label);
    }
    if (view->can_code)
        add(&m, TRAY_CMD_CODE, true, tr("Type the code ...", "コードの入力 ..."));
    add(&m, TRAY_CMD_LINE, false, "");
    add_forwards(&m, facts->status);
    add(&m, TRAY_CMD_OPEN, true, tr("Open the window", "ウィンドウを開く"));
    if (view->can_disconnect)
        add(&m, TRAY_CMD_DISCONNECT, true, tr("Disconnect ...", "切断 ..."));
    else
        add(&m, TRAY_CMD_CONNECT, view->can_connect, tr("Connect ...", "接続 ..."));
    add(&m, TRAY_CMD_LINE, false, "");
    add(&m, TRAY_CMD_SERVER, true, tr("Server ...", "サーバ設定 ..."));
    if (facts->has_key)
        add(&m, TRAY_CMD_EXPORT, true, tr("Export the public key ...", "公開鍵のエクスポート ..."));
    else
        add(&m, TRAY_CMD_KEYGEN, true, tr("Make a key ...", "鍵生成 ..."));
    add(&m, TRAY_CMD_COLLECT, true, tr("Collect logs ...", "ログの収集 ..."));
    add(&m, TRAY_CMD_SETTINGS, true, tr("Options ...", "オプション ..."));
    add(&m, TRAY_CMD_LINE, false, "");
    add(&m, TRAY_CMD_QUIT, true, tr("Quit", "終了"));
    return m.count;
}

/* --- notices ---------------------------------------------------------------------------------- */

/* What can be told about; being on the way is not among it. */
enum { TOLD_OFF, TOLD_UP, TOLD_DOWN, TOLD_FAILED, TOLD_CODE };

static int kind_of(const struct tray_view *view, int before)
{
    if (view->can_code)
        return TOLD_CODE;
    if (view->can_retry)
        return TOLD_DOWN;
    if (view->shape == TRAY_CONNECTING)
        return before;
    if (view->can_disconnect && !view->can_connect)
        return TOLD_UP;
    return view->has_trouble ? TOLD_FAILED : TOLD_OFF;
}

static void notice_trouble(const struct tray_view *view, struct tray_notice *out)
{
    out->error = true;
    snprintf(out->title, sizeof(out->title), "%s %s", view->trouble.code, view->trouble.title);
    snprintf(out->body, sizeof(out->body), "%.480s\n%.480s", view->trouble.cause,
             view->trouble.remedy);
    utf8_mend(out->title);
    utf8_mend(out->body);
}

/* `before` is what stood until now. False when `now` is no news. */
static bool compose(const struct tray_view *view, const struct tray_told *before,
                    const struct tray_told *now, struct tray_notice *out)
{
    memset(out, 0, sizeof(*out));
    if (now->kind == TOLD_UP) {
        bool began = before->kind != TOLD_UP;

        if (!began && now->missing <= before->missing && now->problem == before->problem)
            return false;
        if (view->has_trouble && (began || now->problem != before->problem)) {
            notice_trouble(view, out);
            return true;
        }
        out->error = now->missing > 0;
        snprintf(out->title, sizeof(out->title), "%s",
                 began ? tr("Connected; port forwarding has begun",
                            "接続が完了し、ポート転送を開始しました")
                       : tr("A forward is not ready", "使用できないポート転送があります"));
        snprintf(out->body, sizeof(out->body), "%s", view->headline);
        return began || now->missing > before->missing;
    }
    if (now->kind == before->kind && (now->kind != TOLD_FAILED || now->problem == before->problem))
        return false;
    if (now->kind == TOLD_OFF) {
        snprintf(out->title, sizeof(out->title), "%s", tr("Disconnected", "切断しました"));
        snprintf(out->body, sizeof(out->body), "%s", view->headline);
        /* After a failure, or from one missing thing to the next, nothing has ended. */
        return before->kind == TOLD_UP || before->kind == TOLD_DOWN || before->kind == TOLD_CODE;
    }
    notice_trouble(view, out);
    return view->has_trouble;
}

bool tray_notice(const struct tray_view *view, enum tray_notices wanted, struct tray_told *told,
                 struct tray_notice *out)
{
    struct tray_told now = {.begun = true, .kind = kind_of(view, told->kind)};
    bool news;

    if (view->shape == TRAY_CONNECTING && !view->can_retry && told->begun)
        return false; /* on the way: what stood before is compared with what comes of it */
    now.problem = view->problem;
    now.missing = view->forwards - view->ready;
    news = told->begun && compose(view, told, &now, out);
    *told = now;
    return news && wanted != TRAY_NOTICES_NONE && (wanted == TRAY_NOTICES_ALL || out->error);
}
