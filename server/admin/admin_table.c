/*
 * The table of operations: names, arguments, functions. server/README.md lists them for people.
 */
#include "server/admin/admin_internal.h"

#include <string.h>

#include "common/profile.h"

#define ID_MAX INT64_MAX
/* clang-format would spread each initialiser over five lines. */
/* clang-format off */
#define TEXT(n, max) {n, ARG_TEXT, false, max}
#define NEED(n, max) {n, ARG_TEXT, true, max}
#define HIDE(n, max) {n, ARG_HIDDEN, true, max}
#define FLAG(n) {n, ARG_BOOL, false, 0}
#define INT(n, max) {n, ARG_INT, false, max}
#define LIST(n, max) {n, ARG_LIST, false, max}
#define NEED_INT(n) {n, ARG_INT, true, ID_MAX}
#define NEED_DAYS(n, max) {n, ARG_INT, true, max}
#define ARGS(...) (const struct arg_spec[]){__VA_ARGS__, {NULL, ARG_TEXT, false, 0}}
#define NO_ARGS (const struct arg_spec[]){{NULL, ARG_TEXT, false, 0}}
/* clang-format on */

/* Names are checked for their form where that matters; here only that they are not absurd. */
#define NAME_ARG   1024
#define TARGET_ARG 1024
#define LINE_ARG   SSHKEY_LINE_MAX
#define TIME_ARG   64
#define CSV_ARG    (32 * 1024 * 1024)
/* A word to search for, the order, and which part: of every list. */
#define PAGED                                                                                      \
    TEXT("search", 256), TEXT("sort", 32), INT("limit", LIST_PART_MAX), INT("offset", ID_MAX)
/* Which audit records. */
#define AUDIT_FILTER                                                                               \
    TEXT("since", TIME_ARG), TEXT("until", TIME_ARG), TEXT("user", NAME_ARG),                      \
        TEXT("kind", TIME_ARG), TEXT("device", TIME_ARG), TEXT("source", TIME_ARG),                \
        TEXT("target", TARGET_ARG), TEXT("session", TIME_ARG), TEXT("search", 256)
#define LIMIT_ARG POLICY_LIMIT_TEXT
/* policy_limits.h: what a rule may have, and what only users and groups have. */
#define RULE_LIMITS                                                                                \
    TEXT("max-connections", LIMIT_ARG), TEXT("rate", LIMIT_ARG), TEXT("burst", LIMIT_ARG),         \
        TEXT("upload", LIMIT_ARG), TEXT("download", LIMIT_ARG), TEXT("channel-idle", LIMIT_ARG)
#define USER_LIMITS                                                                                \
    RULE_LIMITS, TEXT("max-sessions", LIMIT_ARG), TEXT("max-sessions-per-device", LIMIT_ARG),      \
        TEXT("quota-day", LIMIT_ARG), TEXT("quota-month", LIMIT_ARG),                              \
        TEXT("session-idle", LIMIT_ARG), TEXT("session-time", LIMIT_ARG)
#define PROOF_ARG 128
#define AGENT_ARG 512
/* What an authenticator says, in hexadecimal. */
#define PASSKEY_ARG 4096

/* Rights. Everything that reads what is configured and what happens: */
#define OWNER   (1u << ROLE_OWNER | BY_CONSOLE)
#define CHANGES (OWNER | 1u << ROLE_ADMIN)
#define HELPS   (CHANGES | 1u << ROLE_HELPDESK)
#define READS   (HELPS | 1u << ROLE_AUDITOR)
/* Takes the whole audit away with him. */
#define EXPORTS (CHANGES | 1u << ROLE_AUDITOR)
#define SELF                                                                                       \
    (1u << ROLE_OWNER | 1u << ROLE_ADMIN | 1u << ROLE_HELPDESK | 1u << ROLE_ENGINEER |             \
     1u << ROLE_AUDITOR)
#define ANY (SELF | BY_CONSOLE)

static const struct operation operations[] = {
    {"user.add", OP_CHANGES, CHANGES, op_user_add,
     ARGS(NEED("name", NAME_ARG), TEXT("full-name", POLICY_LABEL_MAX), FLAG("disabled"))},
    {"user.list", OP_READS, READS, op_user_list,
     ARGS(TEXT("name", NAME_ARG), TEXT("group", NAME_ARG), TEXT("state", 16), PAGED)},
    {"user.set", OP_CHANGES, CHANGES, op_user_set,
     ARGS(NEED("name", NAME_ARG), TEXT("full-name", POLICY_LABEL_MAX), TEXT("clone", 16))},
    {"user.limits", OP_READS, READS, op_user_limits, ARGS(NEED("name", NAME_ARG))},
    {"user.limit", OP_CHANGES, CHANGES, op_user_limit, ARGS(NEED("name", NAME_ARG), USER_LIMITS)},
    {"user.export", OP_READS, READS, op_user_export,
     ARGS(TEXT("group", NAME_ARG), TEXT("state", 16))},
    {"user.table", OP_READS, READS, op_user_table,
     ARGS(TEXT("group", NAME_ARG), TEXT("state", 16), TEXT("after", NAME_ARG))},
    {"user.import", OP_CHANGES, CHANGES, op_user_import, ARGS(HIDE("csv", CSV_ARG))},
    {"user.import.check", OP_READS, CHANGES, op_user_import_check, ARGS(HIDE("csv", CSV_ARG))},
    {"user.enable", OP_CHANGES, CHANGES, op_user_enable, ARGS(NEED("name", NAME_ARG))},
    {"user.disable", OP_CHANGES, CHANGES, op_user_disable, ARGS(NEED("name", NAME_ARG))},
    {"user.delete", OP_CHANGES, CHANGES, op_user_delete, ARGS(NEED("name", NAME_ARG))},

    {"group.add", OP_CHANGES, CHANGES, op_group_add, ARGS(NEED("name", NAME_ARG))},
    {"group.list", OP_READS, READS, op_group_list, ARGS(TEXT("name", NAME_ARG), PAGED)},
    {"group.limits", OP_READS, READS, op_group_limits, ARGS(NEED("name", NAME_ARG))},
    {"group.limit", OP_CHANGES, CHANGES, op_group_limit, ARGS(NEED("name", NAME_ARG), USER_LIMITS)},
    {"group.delete", OP_CHANGES, CHANGES, op_group_delete, ARGS(NEED("name", NAME_ARG))},
    {"group.member.add", OP_CHANGES, CHANGES, op_member_add,
     ARGS(NEED("group", NAME_ARG), NEED("user", NAME_ARG))},
    {"group.member.remove", OP_CHANGES, CHANGES, op_member_remove,
     ARGS(NEED("group", NAME_ARG), NEED("user", NAME_ARG))},

    {"key.add", OP_CHANGES, CHANGES, op_key_add,
     ARGS(NEED("user", NAME_ARG), HIDE("line", LINE_ARG), FLAG("any-client"), FLAG("reactivate"))},
    {"key.list", OP_READS, READS, op_key_list,
     ARGS(TEXT("user", NAME_ARG), TEXT("state", 16), PAGED)},
    {"key.set", OP_CHANGES, CHANGES, op_key_set,
     ARGS(NEED("fingerprint", NAME_ARG), TEXT("user", NAME_ARG), TEXT("name", POLICY_LABEL_MAX),
          TEXT("place", POLICY_LABEL_MAX), TEXT("mail", STORE_MAIL_MAX), TEXT("clone", 16))},
    {"key.show", OP_READS, READS, op_key_show,
     ARGS(NEED("fingerprint", NAME_ARG), TEXT("user", NAME_ARG))},
    {"key.revoke", OP_CHANGES, CHANGES, op_key_revoke,
     ARGS(NEED("fingerprint", NAME_ARG), TEXT("user", NAME_ARG))},

    {"key.restore", OP_CHANGES, CHANGES, op_key_restore,
     ARGS(NEED("fingerprint", NAME_ARG), NEED("user", NAME_ARG))},

    {"key.release", OP_CHANGES, CHANGES, op_key_release,
     ARGS(NEED("fingerprint", NAME_ARG), TEXT("user", NAME_ARG))},
    {"key.release.all", OP_CHANGES, CHANGES, op_key_release_all, NO_ARGS},

    {"enroll.code", OP_WRITES, CHANGES, op_enroll_code,
     ARGS(NEED("user", NAME_ARG), INT("hours", ENROLL_HOURS_MAX))},
    {"enroll.list", OP_READS, READS, op_enroll_list,
     ARGS(TEXT("user", NAME_ARG), TEXT("state", 16), PAGED)},
    {"enroll.approve", OP_CHANGES, CHANGES, op_enroll_approve, ARGS(NEED_INT("id"))},
    {"enroll.deny", OP_WRITES, CHANGES, op_enroll_deny, ARGS(NEED_INT("id"))},

    {"user.trouble", OP_READS, READS, op_user_trouble,
     ARGS(NEED("user", NAME_ARG), TEXT("lang", 8))},
    {"user.factor", OP_CHANGES, CHANGES, op_user_factor,
     ARGS(NEED("name", NAME_ARG), NEED("policy", 16))},
    {"group.factor", OP_CHANGES, CHANGES, op_group_factor,
     ARGS(NEED("name", NAME_ARG), NEED("policy", 16))},
    {"factor.show", OP_READS, READS, op_factor_show, ARGS(NEED("user", NAME_ARG))},
    {"factor.begin", OP_WRITES, CHANGES, op_factor_begin, ARGS(NEED("user", NAME_ARG))},
    /* That somebody has one is a part of the policy. */
    {"factor.confirm", OP_CHANGES, CHANGES, op_factor_confirm,
     ARGS(NEED("user", NAME_ARG), HIDE("code", 64))},
    {"factor.recovery", OP_WRITES, CHANGES, op_factor_recovery, ARGS(NEED("user", NAME_ARG))},
    {"factor.reset", OP_CHANGES, CHANGES, op_factor_reset, ARGS(NEED("user", NAME_ARG))},
    {"factor.forget", OP_WRITES, HELPS, op_factor_forget, ARGS(NEED("user", NAME_ARG))},
    {"factor.retry", OP_WRITES, HELPS, op_factor_retry, ARGS(NEED("user", NAME_ARG))},

    {"log.list", OP_READS, READS, op_log_list, ARGS(TEXT("user", NAME_ARG), PAGED)},
    {"log.show", OP_READS, READS, op_log_show, ARGS(NEED("id", 64))},
    {"log.timeline", OP_READS, READS, op_log_timeline, ARGS(NEED("id", 64), PAGED)},
    {"log.fetch", OP_READS, READS, op_log_fetch, ARGS(NEED("id", 64), INT("offset", ID_MAX))},
    {"log.delete", OP_WRITES, CHANGES, op_log_delete, ARGS(NEED("id", 64))},

    {"rule.add", OP_CHANGES, CHANGES, op_rule_add,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), NEED("name", NAME_ARG),
          NEED("target", TARGET_ARG), TEXT("local", TARGET_ARG), TEXT("fallback", TARGET_ARG),
          INT("position", ID_MAX), TEXT("action", 16), TEXT("from", TARGET_ARG),
          TEXT("hours", STORE_HOURS_MAX), TEXT("expires", TIME_ARG), FLAG("log"), RULE_LIMITS)},
    {"rule.list", OP_READS, READS, op_rule_list,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), FLAG("effective"), PAGED)},
    {"rule.export", OP_READS, READS, op_rule_export,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG))},
    {"rule.table", OP_READS, READS, op_rule_table,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), TEXT("after", NAME_ARG))},
    {"rule.import", OP_CHANGES, CHANGES, op_rule_import,
     ARGS(HIDE("csv", CSV_ARG), FLAG("replace"))},
    {"rule.import.check", OP_READS, CHANGES, op_rule_import_check,
     ARGS(HIDE("csv", CSV_ARG), FLAG("replace"))},
    {"rule.check", OP_READS, READS, op_rule_check,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG))},
    {"rule.set", OP_CHANGES, CHANGES, op_rule_set,
     ARGS(NEED_INT("id"), TEXT("name", NAME_ARG), TEXT("target", TARGET_ARG),
          TEXT("local", TARGET_ARG), TEXT("fallback", TARGET_ARG), TEXT("action", 16),
          TEXT("from", TARGET_ARG), TEXT("hours", STORE_HOURS_MAX), TEXT("expires", TIME_ARG),
          FLAG("log"), RULE_LIMITS)},
    {"rule.history", OP_READS, READS, op_rule_history,
     ARGS(TEXT("user", NAME_ARG), TEXT("group", NAME_ARG), INT("limit", LIST_MAX),
          INT("before", ID_MAX))},
    {"rule.undo", OP_CHANGES, CHANGES, op_rule_undo, ARGS(NEED_INT("id"))},
    {"rule.move", OP_CHANGES, CHANGES, op_rule_move, ARGS(NEED_INT("id"), NEED_INT("position"))},
    {"rule.delete", OP_CHANGES, CHANGES, op_rule_delete, ARGS(NEED_INT("id"))},

    {"session.list", OP_READS, READS, op_session_list, ARGS(TEXT("user", NAME_ARG), PAGED)},
    {"session.kill", OP_ACTS, HELPS, op_session_kill, ARGS(NEED("id", 64), TEXT("reason", 128))},
    {"session.show", OP_READS, READS, op_session_show, ARGS(NEED("id", 64))},
    {"channel.close", OP_ACTS, HELPS, op_channel_close, ARGS(NEED("id", 64), NEED("channel", 64))},
    {"penalty.show", OP_READS, READS, op_penalty_show, NO_ARGS},
    {"penalty.clear", OP_ACTS, HELPS, op_penalty_clear, ARGS(TEXT("source", 64))},
    {"port.trouble", OP_READS, READS, op_port_list, NO_ARGS},
    {"live", OP_READS, READS, op_live,
     ARGS(TEXT("user", NAME_ARG), TEXT("search", POLICY_LABEL_MAX), INT("limit", LIVE_LIMIT_MAX))},
    {"hostkey.show", OP_READS, ANY, op_hostkey_show, NO_ARGS},
    {"profile", OP_READS, HELPS, op_profile,
     ARGS(NEED("user", NAME_ARG), NEED("server", TARGET_ARG), TEXT("name", PROFILE_NAME_MAX))},
    {"pac", OP_READS, HELPS, op_pac, ARGS(NEED("names", 16384), NEED("local", TARGET_ARG))},
    {"download.list", OP_READS, ANY, op_download_list, NO_ARGS},
    {"download.show", OP_READS, ANY, op_download_show, ARGS(NEED("name", NAME_ARG))},
    {"audit.list", OP_READS, READS, op_audit_list,
     ARGS(AUDIT_FILTER, INT("limit", LIST_MAX), INT("offset", ID_MAX), TEXT("before", TIME_ARG))},
    /* Writes the record of itself, and nothing else: a token that may read may export. */
    {"audit.export", OP_READS, EXPORTS, op_audit_export,
     ARGS(AUDIT_FILTER, TEXT("format", 16), INT("after", ID_MAX), INT("upto", ID_MAX))},
    {"audit.counts", OP_READS, READS, op_audit_counts,
     ARGS(TEXT("since", TIME_ARG), TEXT("until", TIME_ARG))},
    {"alert.list", OP_READS, READS, op_alert_list,
     ARGS(TEXT("kind", TIME_ARG), TEXT("severity", 16), TEXT("state", 16), PAGED)},
    {"alert.sums", OP_READS, READS, op_alert_sums, NO_ARGS},
    {"alert.counts", OP_READS, READS, op_alert_counts,
     ARGS(TEXT("since", TIME_ARG), TEXT("until", TIME_ARG))},
    {"alert.judge", OP_WRITES, HELPS, op_alert_judge,
     ARGS(NEED_INT("id"), NEED("severity", 16), TEXT("note", POLICY_LABEL_MAX))},
    {"alert.ack", OP_WRITES, HELPS, op_alert_ack,
     ARGS(NEED_INT("id"), TEXT("note", POLICY_LABEL_MAX))},
    {"alert.mail", OP_READS, READS, op_alert_mail, ARGS(TEXT("account", NAME_ARG))},
    {"alert.mail.set", OP_WRITES, READS, op_alert_mail_set,
     ARGS(NEED("minimum", 16), TEXT("account", NAME_ARG))},
    {"watch.list", OP_READS, READS, op_watch_list, ARGS(PAGED)},
    {"watch.set", OP_WRITES, CHANGES, op_watch_set,
     ARGS(NEED("user", NAME_ARG), NEED("fingerprint", NAME_ARG), NEED("after", TIME_ARG))},
    {"outage.list", OP_READS, READS, op_outage_list, NO_ARGS},
    {"outage.add", OP_WRITES, CHANGES, op_outage_add,
     ARGS(TEXT("since", TIME_ARG), NEED("until", TIME_ARG), TEXT("user", NAME_ARG),
          TEXT("note", POLICY_LABEL_MAX))},
    {"outage.remove", OP_WRITES, CHANGES, op_outage_remove, ARGS(NEED_INT("id"))},
    /* What the portal tells of itself, whoever is logged in there. */
    {"portal.certificate", OP_READS, BY_NOBODY, op_certificate,
     ARGS(NEED("ends", TIME_ARG), INT("files", ID_MAX), INT("files-max", ID_MAX))},
    {"explain", OP_READS, READS, op_explain,
     ARGS(NEED("user", NAME_ARG), NEED("target", TARGET_ARG), TEXT("from", TARGET_ARG),
          TEXT("at", TIME_ARG), LIST("addresses", ADMIN_ADDRESSES_MAX))},
    {"status", OP_READS, ANY, op_status, NO_ARGS},

    {"account.add", OP_WRITES, OWNER, op_account_add,
     ARGS(NEED("name", NAME_ARG), NEED("role", 16), TEXT("full-name", POLICY_LABEL_MAX),
          TEXT("mail", STORE_MAIL_MAX), TEXT("expires", TIME_ARG), FLAG("send"))},
    {"account.list", OP_READS, OWNER, op_account_list, ARGS(TEXT("name", NAME_ARG), PAGED)},
    {"account.set", OP_WRITES, OWNER, op_account_set,
     ARGS(NEED("name", NAME_ARG), TEXT("role", 16), TEXT("full-name", POLICY_LABEL_MAX),
          TEXT("mail", STORE_MAIL_MAX), TEXT("expires", TIME_ARG))},
    {"account.enable", OP_WRITES, OWNER, op_account_enable, ARGS(NEED("name", NAME_ARG))},
    {"account.disable", OP_WRITES, OWNER, op_account_disable, ARGS(NEED("name", NAME_ARG))},
    {"account.delete", OP_WRITES, OWNER, op_account_delete, ARGS(NEED("name", NAME_ARG))},
    {"account.reissue", OP_WRITES, OWNER, op_account_reissue,
     ARGS(NEED("name", NAME_ARG), FLAG("send"))},
    {"account.reset", OP_WRITES, OWNER, op_account_reset, ARGS(NEED("name", NAME_ARG))},

    {"login.begin", OP_READS, BY_NOBODY | SELF, op_login_begin, ARGS(TEXT("account", NAME_ARG))},
    {"login.password", OP_OWN, BY_NOBODY, op_login_password,
     ARGS(NEED("account", NAME_ARG), HIDE("proof", PROOF_ARG), TEXT("agent", AGENT_ARG))},
    {"login.code", OP_OWN, BY_PENDING, op_login_code, ARGS(HIDE("code", 64))},
    {"setup", OP_OWN, BY_NOBODY, op_setup,
     ARGS(NEED("account", NAME_ARG), HIDE("code", 64), HIDE("salt", PROOF_ARG),
          HIDE("proof", PROOF_ARG), TEXT("agent", AGENT_ARG))},
    {"forgotten", OP_OWN, BY_NOBODY, op_forgotten,
     ARGS(NEED("account", NAME_ARG), NEED("mail", NAME_ARG))},
    {"reset", OP_OWN, BY_NOBODY, op_reset,
     ARGS(NEED("account", NAME_ARG), HIDE("code", 64), HIDE("salt", PROOF_ARG),
          HIDE("proof", PROOF_ARG), TEXT("agent", AGENT_ARG), FLAG("end-tokens"))},
    {"logout", OP_WRITES, SELF | BY_PENDING, op_logout, NO_ARGS},
    {"login.list", OP_READS, SELF, op_login_list, NO_ARGS},
    {"login.end", OP_WRITES, SELF, op_login_end, ARGS(NEED("id", 64))},
    {"me", OP_READS, SELF, op_me, NO_ARGS},
    {"me.set", OP_WRITES, SELF, op_me_set,
     ARGS(TEXT("full-name", POLICY_LABEL_MAX), TEXT("mail", STORE_MAIL_MAX))},
    {"password.change", OP_WRITES, SELF, op_password_change,
     ARGS(HIDE("proof", PROOF_ARG), HIDE("salt", PROOF_ARG), HIDE("new-proof", PROOF_ARG),
          FLAG("end-tokens"))},
    {"totp.begin", OP_WRITES, SELF, op_totp_begin, ARGS(HIDE("proof", PROOF_ARG))},
    {"totp.confirm", OP_WRITES, SELF, op_totp_confirm, ARGS(HIDE("code", 64))},
    {"totp.disable", OP_WRITES, SELF, op_totp_disable, ARGS(HIDE("proof", PROOF_ARG))},
    {"passkey.begin", OP_WRITES, SELF, op_passkey_begin,
     ARGS(NEED("host", TARGET_ARG), HIDE("proof", PROOF_ARG))},
    {"passkey.add", OP_OWN, SELF, op_passkey_add,
     ARGS(NEED("name", NAME_ARG), NEED("host", TARGET_ARG), HIDE("client-data", PASSKEY_ARG),
          HIDE("auth-data", PASSKEY_ARG))},
    {"passkey.list", OP_READS, SELF, op_passkey_list, NO_ARGS},
    {"passkey.rename", OP_WRITES, SELF, op_passkey_rename,
     ARGS(NEED_INT("id"), NEED("name", NAME_ARG))},
    {"passkey.remove", OP_WRITES, SELF, op_passkey_remove,
     ARGS(NEED_INT("id"), HIDE("proof", PROOF_ARG))},
    {"login.passkey.begin", OP_OWN, BY_PENDING, op_login_passkey_begin,
     ARGS(NEED("host", TARGET_ARG))},
    {"login.passkey", OP_OWN, BY_PENDING, op_login_passkey,
     ARGS(NEED("host", TARGET_ARG), HIDE("credential", PASSKEY_ARG),
          HIDE("client-data", PASSKEY_ARG), HIDE("auth-data", PASSKEY_ARG),
          HIDE("signature", PASSKEY_ARG))},
    {"token.add", OP_WRITES, SELF, op_token_add,
     ARGS(NEED("name", NAME_ARG), NEED("scopes", 64), NEED_DAYS("days", API_TOKEN_DAYS_MAX),
          HIDE("proof", PROOF_ARG))},
    {"token.list", OP_READS, ANY, op_token_list, NO_ARGS},
    {"token.revoke", OP_WRITES, ANY, op_token_revoke, ARGS(NEED_INT("id"))},
    {"access.list", OP_READS, OWNER, op_access_list, NO_ARGS},
    {"access.add", OP_WRITES, OWNER, op_access_add,
     ARGS(NEED("network", TARGET_ARG), TEXT("comment", POLICY_LABEL_MAX), FLAG("confirm"))},
    {"access.delete", OP_WRITES, OWNER, op_access_delete, ARGS(NEED_INT("id"), FLAG("confirm"))},
    {"access.reset", OP_WRITES, BY_CONSOLE, op_access_reset, NO_ARGS},
    {"recovery.renew", OP_WRITES, SELF, op_recovery_renew, ARGS(HIDE("proof", PROOF_ARG))},

    {"report", OP_READS, READS, op_report,
     ARGS(TEXT("month", 16), TEXT("user", NAME_ARG), TEXT("format", 16), TEXT("lang", 16))},
    {"report.readers", OP_READS, READS, op_report_readers, NO_ARGS},
    {"report.subscribe", OP_WRITES, READS, op_report_subscribe,
     ARGS(TEXT("account", NAME_ARG), TEXT("lang", 16), FLAG("off"))},
    {"mail.list", OP_READS, CHANGES, op_mail_list,
     ARGS(INT("id", ID_MAX), INT("limit", LIST_PART_MAX), INT("offset", ID_MAX))},
    {"mail.test", OP_WRITES, CHANGES, op_mail_test, ARGS(NEED("address", STORE_MAIL_MAX))},
    {"mail.retry", OP_WRITES, CHANGES, op_mail_retry, ARGS(INT("id", ID_MAX))},
    {"mail.drop", OP_WRITES, CHANGES, op_mail_drop, ARGS(NEED_INT("id"))},

    {"init", OP_CHANGES, BY_CONSOLE, op_init, NO_ARGS},
};

const struct operation *admin_operation(const char *name)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    }
    return NULL;
}

bool admin_may_change(unsigned who)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if ((operations[i].flags & OP_CHANGES) != 0 && (operations[i].who & who) != 0)
            return true;
    }
    return false;
}

json_t *admin_operations(unsigned who)
{
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if ((operations[i].who & who) != 0)
            json_array_append_new(list, json_string(operations[i].name));
    }
    return list;
}
