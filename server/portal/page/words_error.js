// What prad says is wrong with a form, in Japanese; a part of i18n.js. The English is prad's own, {} whatever it names there: what
// prad no longer says may not stand here (tests/flow/test_portal_words.py). A sentence without a line here is shown as it is.
const SENTENCES = [
  // Any argument.
  ['is missing', '入力してください'],
  ['is empty', '入力してください'],
  ['longer than {} bytes', '{0} バイト以内で入力してください'],
  ['holds a NUL character', '使用できない文字が含まれています'],
  ['must be text', '文字列で指定してください'],
  ['must be true or false', 'true または false で指定してください'],
  ['must be a number from 0 to {}', '0 から {0} までの数値で指定してください'],
  ['must be a number from 1 to {}', '1 から {0} までの数値で指定してください'],
  ["'{}' is no number{}{}{}, and not none", '「{0}」は数値ではありません。制限しない場合は none と入力してください'],
  ['is more than {}', '{0} 以下で指定してください'],
  ['holds a character that cannot be shown, at byte {}', '表示できない文字が含まれています({0} バイト目)'],
  ["'{}' is no time such as 2026-11-22T10:00:00Z or 2026-11-22, and no time ago such as 90m or 7d", '「{0}」は日時ではありません。例: 2026-11-22T10:00:00Z、2026-11-22、90m(90 分前)、7d(7 日前)'],
  ["'{}' is no time such as 2026-11-22T10:00:00Z, and no time ahead such as 90m or 2h", '「{0}」は日時ではありません。例: 2026-11-22T10:00:00Z、90m(90 分後)、2h(2 時間後)'],
  ['lies before since', '開始より前です'],
  ['is over already', 'すでに過ぎています'],
  // Names.
  ['{} cannot be told from an option or a folder', '{0} は名前に使用できません'],
  ['{} holds a blank or a character that cannot be shown', '{0} に空白または表示できない文字が含まれています'],
  ["{} holds '{}', which names may not", '{0} に使用できない文字「{1}」が含まれています'],
  ["user '{}' exists already", 'ユーザ「{0}」はすでに存在します'],
  ["group '{}' exists already", 'グループ「{0}」はすでに存在します'],
  ["account '{}' exists already", 'ユーザ ID「{0}」はすでに存在します'],
  ["there is no user '{}'", 'ユーザ「{0}」は登録されていません'],
  ["'{}' is in group '{}' already", '「{0}」はすでにグループ「{1}」に属しています'],
  ["'{}' is not in group '{}'", '「{0}」はグループ「{1}」に属していません'],
  ["'{}' is the only owner who can log in: make another one first", '「{0}」はログインできる唯一のオーナーです。先に別のオーナーを登録してください'],
  ["you have a token '{}' already", 'トークン「{0}」はすでに存在します'],
  ['you have {} tokens: revoke one first', 'トークンが上限の {0} 個に達しています。先に 1 個を無効にしてください'],
  ["you have a passkey '{}' already", 'パスキー「{0}」はすでに存在します'],
  // Rules.
  ["target '{}': expected HOST:PORT", '転送先「{0}」は「ホスト:ポート」の形で入力してください'],
  ["target '{}': the port must be 1-65535, or a range such as 8000-8099", '転送先「{0}」のポートは 1~65535、または 8000-8099 のような範囲で入力してください'],
  ["target '{}': put an IPv6 address in brackets, [2001:db8::1]:443", '転送先「{0}」の IPv6 アドレスは [2001:db8::1]:443 のように括弧で囲んでください'],
  ["target '{}': not a host name and not an address (letters, digits, '-' and '.'; IPv4 as four decimal numbers; IPv6 in brackets)",
    '転送先「{0}」はホスト名でもアドレスでもありません(ホスト名は英数字と「-」「.」、IPv4 は 4 個の 10 進数、IPv6 は括弧で囲む)'],
  ["target '{}': not a network such as 10.1.0.0/16 or [2001:db8::/32] (the bits behind the prefix must be zero)",
    '転送先「{0}」は 10.1.0.0/16 や [2001:db8::/32] のようなネットワークではありません(プレフィックスより後のビットは 0)'],
  ['expected one host and one port', '1 個のホストと 1 個のポートを指定してください'],
  ["local '{}': the port must be 1-65535", 'ローカルポート「{0}」は 1~65535 で入力してください'],
  ["local '{}': expected PORT or 127.x.x.x:PORT", 'ローカルポート「{0}」は「ポート」または「127.x.x.x:ポート」の形で入力してください'],
  ["local '{}': the address must lie within 127.0.0.0/8, which only programs on the same PC can reach",
    'ローカルポート「{0}」のアドレスは、その PC からだけ接続できる 127.0.0.0/8 の中で指定してください'],
  ['a forward leads to one port, but the target is a range of ports', '転送先がポートの範囲のため、ローカルポートは指定できません'],
  ['a forward leads to one host, but the target is a network', '転送先がネットワークのため、ローカルポートは指定できません'],
  ['a rule that denies delivers no forward; leave local out', '拒否のルールにはローカルポートを指定できません'],
  ['needs local, which it stands in for', 'ローカルポートを指定してください'],
  ['is the same as local', 'ローカルポートと異なるポートを指定してください'],
  ["hours '{}': not understood at '{}'; expected such as 'Mon-Fri 08:00-19:00', 'Sat,Sun 10:00-12:00' or 'daily 22:00-06:00', several joined by ', '",
    "時間帯「{0}」の「{1}」が正しくありません。例: Mon-Fri 08:00-19:00、Sat,Sun 10:00-12:00、daily 22:00-06:00(複数は「, 」で区切る)"],
  ["hours '{}': not understood at '{}'", '時間帯「{0}」の「{1}」が正しくありません'],
  ["'{}' is no network such as 192.0.2.0/24 (the bits behind the prefix must be zero)", '「{0}」は 192.0.2.0/24 のようなネットワークではありません(プレフィックスより後のビットは 0)'],
  ["'{}' is no address", '「{0}」はアドレスではありません'],
  ['must be an address or a network such as 192.0.2.0/24', 'アドレス、または 192.0.2.0/24 のようなネットワークを入力してください'],
  ['{} is there already', '{0} はすでに登録されています'],
  ['lies before 1970', '1970 年より前です'],
  ['needs rate, which it goes beyond for a moment', '接続頻度の上限を指定してください'],
  // Accounts.
  ['is no address such as suzuki@example.com', 'suzuki@example.com のようなアドレスではありません'],
  ['shorter than {} characters', '{0} 文字以上で入力してください'],
  ['is wrong', '正しくありません'],
  ["is the account's name", 'ユーザ ID と同じものは使用できません'],
  ['holds a character that cannot be typed', '使用できない文字が含まれています'],
  ['is wrong or was used before', '誤り、または使用済みです'],
  ['is not what the authenticator should show now', '認証アプリに現在表示されているコードではありません'],
  ["'{}' has no mail address", '「{0}」にはメールアドレスが登録されていません'],
  ['the account has no mail address', 'アカウントにメールアドレスが登録されていません'],
  // Public keys.
  ["user '{}' has this key already ({})", 'ユーザ「{0}」にこの公開鍵がすでに登録されています({1})'],
  ['this is a private key; the public key file (.pub) is needed', '秘密鍵が入力されています。公開鍵のファイル(.pub)の内容を入力してください'],
  ['this is not a public key line', '公開鍵の行ではありません'],
  ['this is not one line of text', '1 行で入力してください'],
  ['not valid base64 (cut off?)', '公開鍵が途中で切れています'],
  ["keys of type '{}' are not accepted", '種類「{0}」の鍵は登録できません'],
  // Alerts, files.
  ["'{}' is no time from {}s to {}d such as 10m, and not 0 either", '「{0}」は {1} 秒から {2} 日までの時間ではありません。例: 10m(10 分)。0 で既定に戻ります'],
  ['must be a month such as 2026-10', '2026-10 のような年月で入力してください'],
  ["'{}' is not HOST or HOST:PORT", '「{0}」は「ホスト」または「ホスト:ポート」の形ではありません'],
  ['another table is being imported: try again later', '別の表を取り込み中です。しばらくしてからやり直してください'],
];

// The argument that a sentence is about, as the forms call it.
const ARGUMENTS = {
  account: 'ユーザ ID', address: 'アドレス', after: '通知までの切断時間', burst: '接続頻度の余裕', code: 'コード', comment: 'コメント', csv: 'CSV', days: '日数', ends: '終了',
  expires: '有効期限', fallback: '代替ポート', from: '接続元ネットワーク', 'full-name': '氏名', group: 'グループ', hours: '時間帯', line: '公開鍵', local: 'ローカルポート',
  mail: 'メールアドレス', month: '年月', name: '名前', network: '接続元', note: 'メモ', password: 'パスワード', place: '設置場所', rate: '接続頻度', send: 'メール', server: 'サーバ',
  since: '開始', target: '転送先', until: '終了', user: 'ユーザ',
};

const escaped = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const FORMS = SENTENCES.map(([english, japanese]) =>
  [new RegExp(`^${english.split('{}').map(escaped).join('(.*?)')}$`, 's'), japanese]);

// "name: is missing" -> "名前: 入力してください"; what is not known comes back as it is.
export function inJapanese(message) {
  const [, argument, rest] = /^([a-z][a-z-]*): (.*)$/s.exec(message) || [null, null, message];
  for (const [form, japanese] of FORMS) {
    const found = form.exec(rest);
    if (found)
      return (argument ? `${ARGUMENTS[argument] || argument}: ` : '') + japanese.replace(/\{(\d)\}/g, (_, i) => found[Number(i) + 1]);
  }
  return message;
}
