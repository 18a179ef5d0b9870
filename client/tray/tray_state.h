/*
 * What a tray and its window show, as a pure function of what the agent says: the shape of the icon,
 * the status in words, what may be done now, the menu, the list of forwards, and when something is
 * worth a notice. No I/O, no clock, no windowing system; the same for GTK and Win32. Texts are in
 * i18n_lang(). What a gateway chose (names of rules, users) may stand in every text: it is valid
 * UTF-8 without control characters.
 */
#ifndef PRA_CLIENT_TRAY_TRAY_STATE_H
#define PRA_CLIENT_TRAY_TRAY_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "common/msg.h"

/* Each differs by its outline, not by colour alone. */
enum tray_shape {
    TRAY_OFF,        /* empty ring: not connected, nothing wrong */
    TRAY_CONNECTING, /* three dots: on the way, or waiting to try again */
    TRAY_ON,         /* full disc: every forward is ready */
    TRAY_PARTLY,     /* half disc: some forwards are not */
    TRAY_ERROR,      /* cross: failed, or no forward is ready */
    TRAY_ACTION,     /* triangle with a mark: this person has something to do */
    TRAY_SHAPE_COUNT
};

/* "on", "partly": for file names, titles and tests. */
const char *tray_shape_word(enum tray_shape shape);

/* What this person has to do next. */
enum tray_step {
    TRAY_STEP_NONE,
    TRAY_STEP_SERVER,     /* say where the gateway is */
    TRAY_STEP_KEY,        /* make a key */
    TRAY_STEP_CONNECT,    /* connect */
    TRAY_STEP_PASSPHRASE, /* type it again */
    TRAY_STEP_HOST_KEY,   /* compare the gateway's fingerprint */
    TRAY_STEP_CODE,       /* type the code of the authenticator app */
    TRAY_STEP_REGISTER    /* wait for the administrator */
};

struct tray_facts {
    const json_t *status; /* the agent's status object; NULL = no agent runs */
    long age;             /* whole seconds since that arrived; retry_in counts down by it */
    bool has_server;      /* a gateway is set */
    bool has_key;         /* this PC has a key */
};

#define TRAY_TEXT_MAX 256

struct tray_view {
    enum tray_shape shape;
    enum tray_step next;
    char headline[TRAY_TEXT_MAX]; /* the status in words: first line of the menu, tool tip */
    char detail[TRAY_TEXT_MAX];   /* gateway and user, or what to do next; may be "" */
    bool can_connect, can_disconnect, can_retry;
    bool can_code;       /* the gateway waits for a code */
    long retry_in;       /* seconds, -1 = nothing is waited for */
    enum msg_id problem; /* MSG_NONE = none, or one that is not of our table: see `trouble` */
    bool has_trouble;
    struct msg_text trouble; /* if has_trouble; code and title may point into the status */
    size_t forwards, ready;
};

void tray_look(const struct tray_facts *facts, struct tray_view *view);

/* --- the list of forwards --------------------------------------------------------------------- */

#define TRAY_CELL_MAX 320

struct tray_row {
    bool ready;
    char mark[8];  /* ● or × */
    char word[64]; /* "ready", "port taken" */
    char name[TRAY_CELL_MAX];
    char local[TRAY_CELL_MAX]; /* what a click copies */
    char target[TRAY_CELL_MAX];
    char connections[24];
    char traffic[64];
    char note[2 * MSG_TEXT_MAX + 64]; /* who holds the port, what to do; or where it is; or "" */
};

/* How many rows there are; row `i` of them. */
size_t tray_row_count(const json_t *status);
void tray_row(const json_t *status, size_t i, struct tray_row *row);

/* --- the menu --------------------------------------------------------------------------------- */

enum tray_command {
    TRAY_CMD_NONE, /* a line that is only read */
    TRAY_CMD_LINE, /* a line between groups */
    TRAY_CMD_OPEN,
    TRAY_CMD_RETRY,
    TRAY_CMD_CONNECT,
    TRAY_CMD_DISCONNECT,
    TRAY_CMD_COPY, /* copies the local address of forward `row` */
    TRAY_CMD_SERVER,
    TRAY_CMD_KEYGEN,
    TRAY_CMD_EXPORT,
    TRAY_CMD_COLLECT,
    TRAY_CMD_SETTINGS,
    TRAY_CMD_QUIT,
    TRAY_CMD_PROFILE, /* asks for a profile's file */
    TRAY_CMD_ABOUT,
    TRAY_CMD_CODE,   /* asks for the code of the authenticator app */
    TRAY_CMD_ENROLL, /* hands the key in with a code */
    TRAY_CMD_COUNT
};

struct tray_item {
    enum tray_command command;
    size_t row;
    bool enabled;
    char label[TRAY_CELL_MAX]; /* without mnemonics: an underscore is one */
};

/* Forwards beyond this many are in the window only. */
#define TRAY_MENU_FORWARDS 12
#define TRAY_MENU_MAX      (TRAY_MENU_FORWARDS + 16)

/* Fills `items` (TRAY_MENU_MAX); returns how many. The first is always the status in words. */
size_t tray_menu(const struct tray_facts *facts, const struct tray_view *view,
                 struct tray_item *items);

/* --- notices ---------------------------------------------------------------------------------- */

enum tray_notices { TRAY_NOTICES_ALL, TRAY_NOTICES_ERRORS, TRAY_NOTICES_NONE };

/* What has been told; zero-initialised: nothing, and the first state seen is no change. */
struct tray_told {
    bool begun;
    int kind; /* of tray_state.c */
    enum msg_id problem;
    size_t missing; /* forwards that were not ready */
};

struct tray_notice {
    bool error;
    char title[TRAY_TEXT_MAX];
    char body[MSG_TEXT_MAX];
};

/*
 * Is there something to tell since the last call? Updates `told` in any case. One real change is one
 * notice: going to and fro between waiting and trying again is none. `wanted` leaves out good news
 * or everything.
 */
bool tray_notice(const struct tray_view *view, enum tray_notices wanted, struct tray_told *told,
                 struct tray_notice *out);

#endif
