/* Requests of logged-in clients; see requests.h. */
#include "server/prad/requests.h"

#include <string.h>

#include "common/log.h"
#include "server/prad/channel.h"
#include "server/prad/control.h"
#include "server/prad/record.h"

#define OPEN_PROHIBITED   1 /* RFC 4254 5.1 */
#define OPEN_UNKNOWN_TYPE 3

static const char *request_word(ssh_message m)
{
    switch (ssh_message_subtype(m)) {
    case SSH_CHANNEL_REQUEST_PTY:
        return "pty";
    case SSH_CHANNEL_REQUEST_EXEC:
        return "exec";
    case SSH_CHANNEL_REQUEST_SHELL:
        return "shell";
    case SSH_CHANNEL_REQUEST_ENV:
        return "env";
    case SSH_CHANNEL_REQUEST_SUBSYSTEM:
        return "subsystem";
    case SSH_CHANNEL_REQUEST_WINDOW_CHANGE:
        return "window-change";
    case SSH_CHANNEL_REQUEST_X11:
        return "x11";
    default:
        return "channel-request";
    }
}

/* The client's own name for a kind that libssh does not know, escaped; "" for known kinds. */
static const char *name_of(ssh_message m, char text[AUDIT_TEXT_MAX])
{
    const char *name = ssh_message_request_name(m);
    return name ? log_escape(text, AUDIT_TEXT_MAX, name, strlen(name)) : "";
}

bool requests_refuse(struct session *s, ssh_message m)
{
    char detail[AUDIT_TEXT_MAX] = "";
    const char *what = NULL;
    if (ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_EXEC)
        what = ssh_message_channel_request_command(m);
    else if (ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_SUBSYSTEM)
        what = ssh_message_channel_request_subsystem(m);
    else if (ssh_message_subtype(m) == SSH_CHANNEL_REQUEST_ENV)
        what = ssh_message_channel_request_env_name(m);
    else
        what = ssh_message_request_name(m);
    if (what)
        log_escape(detail, sizeof(detail), what, strlen(what));
    record_session(s, AUDIT_REQUEST_REFUSED, request_word(m), detail);
    ssh_message_reply_default(m);
    return session_alive(s);
}

static bool channel_request_message(struct session *s, ssh_message m)
{
    bool going_on = control_owns(s, ssh_message_channel_request_channel(m)) ? control_request(s, &m)
                                                                            : requests_refuse(s, m);
    ssh_message_free(m);
    return going_on;
}

static bool refuse_open(struct session *s, ssh_message m)
{
    const char *word;
    char detail[AUDIT_TEXT_MAX];
    uint32_t code = OPEN_PROHIBITED;
    switch (ssh_message_subtype(m)) {
    case SSH_CHANNEL_DIRECT_TCPIP: /* of a session that enrols */
        word = "direct-tcpip";
        break;
    case SSH_CHANNEL_X11:
        word = "x11";
        break;
    case SSH_CHANNEL_FORWARDED_TCPIP:
        word = "forwarded-tcpip";
        break;
    case SSH_CHANNEL_AUTH_AGENT:
        word = "agent";
        break;
    default:
        word = "channel-type";
        code = OPEN_UNKNOWN_TYPE;
    }
    record_session(s, AUDIT_REQUEST_REFUSED, word, name_of(m, detail));
    ssh_message_channel_request_open_reply_failure(m, code,
                                                   "this gateway forwards allowed ports only");
    ssh_message_free(m);
    return session_alive(s);
}

static bool channel_open_message(struct session *s, ssh_message m)
{
    switch (ssh_message_subtype(m)) {
    case SSH_CHANNEL_DIRECT_TCPIP:
        if (s->enroll)
            return refuse_open(s, m);
        channel_request(s, m);
        return session_alive(s);
    case SSH_CHANNEL_SESSION:
        return control_open(s, m);
    default:
        return refuse_open(s, m);
    }
}

static bool global_message(struct session *s, ssh_message m)
{
    const char *word = "global-request";
    char detail[AUDIT_TEXT_MAX];
    if (ssh_message_subtype(m) == SSH_GLOBAL_REQUEST_TCPIP_FORWARD)
        word = "tcpip-forward";
    else if (ssh_message_subtype(m) == SSH_GLOBAL_REQUEST_CANCEL_TCPIP_FORWARD)
        word = "cancel-tcpip-forward";
    record_session(s, AUDIT_REQUEST_REFUSED, word, name_of(m, detail));
    ssh_message_reply_default(m);
    ssh_message_free(m);
    return session_alive(s);
}

bool requests_message(struct session *s, ssh_message m)
{
    switch (ssh_message_type(m)) {
    case SSH_REQUEST_CHANNEL_OPEN:
        return channel_open_message(s, m);
    case SSH_REQUEST_CHANNEL:
        return channel_request_message(s, m);
    case SSH_REQUEST_GLOBAL:
        return global_message(s, m);
    default: /* a service or a login after the login */
        ssh_message_free(m);
        record_session(s, AUDIT_PROTOCOL_ERROR, "login-after-login", "");
        session_end(s, "protocol-error", "already logged in");
        return false;
    }
}
