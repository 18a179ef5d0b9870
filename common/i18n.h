/* Which of the two languages people's text is in: Japanese or English, by locale. */
#ifndef PRA_COMMON_I18N_H
#define PRA_COMMON_I18N_H

enum i18n_lang { LANG_EN, LANG_JA };

/* Chooses by LC_ALL, LC_MESSAGES, LANG (the first that is set); "ja..." is Japanese. */
void i18n_init(void);
void i18n_set(enum i18n_lang lang);
enum i18n_lang i18n_lang(void);

/* Picks one of two literals: tr("connected", "接続中"). Both may be formats; the compiler checks
   them where the result is one. */
const char *tr(const char *en, const char *ja) __attribute__((format_arg(1), format_arg(2)));

#endif
