/*
 * Alerts, inside of administration: raised by what the audit says and by what is watched, judged and
 * acknowledged by people, told by mail to the accounts that want to be told.
 *
 * Under a flood records are few and counts exact: what follows an open alert of the same kind about
 * the same thing within ALERT_JOIN_S is one record; of one kind at most ALERT_RECORDS_MAX records are
 * made in an hour, and what is beyond stands in one record of its own ("thinned").
 */
#ifndef PRA_SERVER_ADMIN_ALERTS_H
#define PRA_SERVER_ADMIN_ALERTS_H

#include "server/admin/admin_internal.h"

#define ALERT_JOIN_S      3600
#define ALERT_RECORDS_MAX 50 /* of one kind in ALERT_JOIN_S */
#define ALERT_MAILS_MAX   60 /* alerts of which mail is sent, in ALERT_JOIN_S */
#define ALERT_KEPT_S      (90 * 86400)
#define WATCH_AFTER_MIN   5 /* seconds that a device may be away: a reconnection takes some */
#define WATCH_AFTER_MAX   (30 * 86400)
#define WATCHED_MAX       10000
#define OUTAGES_MAX       1000
#define FAILURES_MAX      4096 /* users and addresses that are counted at once */

/* X(id, word, severity: NULL = somebody has to judge, Japanese, English) */
#define ALERT_MAP(X)                                                                               \
    X(ALERT_FAILURES_USER, "failures-user", NULL, "ログイン失敗の繰り返し(ユーザ)",                \
      "repeated refused log-ins of a user")                                                        \
    X(ALERT_FAILURES_SOURCE, "failures-source", NULL, "ログイン失敗の繰り返し(接続元)",            \
      "repeated refused log-ins from an address")                                                  \
    X(ALERT_CLONE, "clone", NULL, "鍵の複製の疑い", "one key on two machines at the same time")    \
    X(ALERT_OFFLINE, "device-offline", "warning", "常時接続端末の切断", "a device is away")        \
    X(ALERT_BACK, "device-back", "notice", "常時接続端末の復旧", "a device is back")               \
    X(ALERT_CERTIFICATE, "certificate", "warning", "ポータルの証明書の有効期限",                   \
      "the portal's certificate ends soon")                                                        \
    X(ALERT_HOSTKEY, "hostkey-changed", "critical", "ホスト鍵の変更", "the host key changed")      \
    X(ALERT_VIOLATION, "sandbox-violation", "critical", "サンドボックス違反による終了",            \
      "the gateway was ended for what it must not do")                                             \
    X(ALERT_DISK, "disk", "warning", "ディスクの空き容量不足", "the disk is nearly full")          \
    X(ALERT_DISK_BACK, "disk-back", "notice", "ディスクの空き容量の回復",                          \
      "the disk has room again")                                                                   \
    X(ALERT_STORE, "store", "critical", "データベースへの書き込み失敗",                            \
      "the database could not be written")                                                         \
    X(ALERT_THINNED, "thinned", "warning", "アラートの間引き", "alerts were only counted")
enum alert_kind {
#define X(id, word, severity, ja, en) id,
    ALERT_MAP(X)
#undef X
        ALERT_KIND_COUNT
};
const char *alert_word(enum alert_kind k);

/* One alert as it is raised; texts may be NULL. */
struct alert {
    enum alert_kind kind;
    const char *severity; /* NULL: that of its kind */
    const char *subject;  /* what it is about */
    const char *user, *device, *source, *detail;
};

/* In the open transaction. Returns 0 or the store's error. */
int alert_raise_inside(struct admin *a, const struct alert *what, struct fault *f);
/* In a transaction of its own; a failure is in the log, and whoever watches tells it again later. Returns
   0 or the store's error. */
int alert_raise(struct admin *a, const struct alert *what);
/* Queues mail about it for everybody who wants it, and for the address of the device that it is about;
   a transaction is open. */
int alert_mail(struct admin *a, const struct store_alert *alert, bool judged, struct fault *f);

/* What happened may be an alert: after the events are stored. */
void alerts_look(struct admin *a, const struct audit_event *events, size_t count);

/* Devices that should be connected (admin_watch.c). */
void watch_tick(struct admin *a, int64_t now);

/* What is remembered between looks; part of struct admin. */
struct watcher;
struct watcher *watcher_new(void);
void watcher_free(struct watcher *w);
/* Counts `times` failures of somebody (`what`: 'u' user, 's' source). True when there have been as
   many as make an alert; then they are counted anew. */
bool watcher_failed(struct watcher *w, char what, const char *who, uint64_t times, int64_t now);
/* Is there room for mail about one more alert in this hour? Counts it. */
bool watcher_may_mail(struct watcher *w, int64_t now);
/* The watched devices or the outages changed. */
void watcher_changed(struct watcher *w);

#endif
