// The page's words, Japanese and English. t('key') gives those of the language that is chosen.

const words = {
  title: ['PRA マネージメントツール', 'PRA management'],
  skip: ['本文へ移動', 'Skip to content'],
  login: ['ログイン', 'Log in'],
  logout: ['ログアウト', 'Log out'],
  account: ['ユーザ ID', 'User id'],
  password: ['パスワード', 'Password'],
  newPassword: ['新しいパスワード', 'New password'],
  again: ['新しいパスワード(確認)', 'New password, again'],
  passwordHint: ['12 文字以上', 'At least 12 characters'],
  different: ['パスワードが一致しません。', 'The two passwords differ.'],
  codeTitle: ['2段階認証', 'Second step'],
  codeLabel: ['認証アプリの 6 桁のコード、またはリカバリーコード', '6-digit code of your authenticator, or a recovery code'],
  next: ['次へ', 'Next'],
  back: ['戻る', 'Back'],
  setup: ['はじめての方(セットアップコードをお持ちの方)', 'First time here, with a set-up code?'],
  setupTitle: ['パスワードの設定', 'Choose your password'],
  setupCode: ['セットアップコード', 'Set-up code'],
  forgotten: ['パスワードをお忘れの方: 管理者に再発行を依頼してください。', 'Password forgotten? An administrator can issue your account again.'],
  users: ['ユーザ', 'Users'],
  me: ['アカウント', 'My account'],
  language: ['English', '日本語'],
  search: ['検索', 'Search'],
  name: ['ユーザ名', 'User name'],
  fullName: ['氏名', 'Full name'],
  state: ['状態', 'State'],
  groups: ['グループ', 'Groups'],
  keys: ['公開鍵', 'Keys'],
  rules: ['転送ルール', 'Rules'],
  enabled: ['● 許可', '● allowed'],
  disabled: ['× 停止', '× disabled'],
  enable: ['許可する', 'Allow'],
  disable: ['停止する', 'Disable'],
  addUser: ['ユーザを追加', 'Add user'],
  noUsers: ['ユーザはまだ登録されていません。', 'There are no users yet.'],
  noMatch: ['該当するユーザはありません。', 'No user matches.'],
  nameHint: ['大文字と小文字を区別します', 'Upper and lower case differ'],
  page: ['ページ', 'Page'],
  of: ['/', 'of'],
  previous: ['前へ', 'Previous'],
  forward: ['次へ', 'Next'],
  fingerprint: ['フィンガープリント', 'Fingerprint'],
  comment: ['コメント', 'Comment'],
  binding: ['端末との結び付き', 'Binding'],
  bound: ['● 結び付きあり', '● bound'],
  weak: ['△ 弱い', '△ weak'],
  unknown: ['不明', 'not known'],
  seen: ['最終接続', 'Last seen'],
  never: ['なし', 'never'],
  active: ['● 有効', '● active'],
  revoked: ['× 失効', '× revoked'],
  revoke: ['失効させる', 'Revoke'],
  noKeys: ['公開鍵はまだ登録されていません。', 'No key is registered yet.'],
  addKey: ['公開鍵を登録', 'Register a key'],
  keyLine: ['公開鍵(貼り付け、またはファイルを選択)', 'Public key: paste it, or choose the file'],
  keyFile: ['公開鍵ファイル', 'Public key file'],
  ruleName: ['名前', 'Name'],
  target: ['転送先(ホスト:ポート)', 'Target (host:port)'],
  local: ['ローカルポート', 'Local port'],
  action: ['動作', 'Action'],
  allow: ['○ 許可', '○ allow'],
  deny: ['× 拒否', '× deny'],
  hours: ['時間帯', 'Hours'],
  hoursHint: ['例: Mon-Fri 08:00-19:00', 'e.g. Mon-Fri 08:00-19:00'],
  position: ['順', 'No.'],
  up: ['上へ', 'Move up'],
  down: ['下へ', 'Move down'],
  remove: ['削除', 'Delete'],
  noRules: ['転送ルールはまだありません。何も許可されていません。', 'There are no rules yet: nothing is allowed.'],
  addRule: ['ルールを追加', 'Add rule'],
  order: ['上から順に評価し、最初に該当したルールで決まります。該当なしは拒否です。', 'Read from the top; the first that applies decides; none means no.'],
  fixedPorts: ['データ部にアドレスやポート番号を組み込むアプリケーション(アクティブ FTP など)は利用できません。',
    'Applications that put addresses or ports inside their data, such as active FTP, cannot be used.'],
  explain: ['確認(どのルールで決まるか)', 'What if: which rule decides?'],
  check: ['確認', 'Check'],
  deleteUser: ['ユーザを削除', 'Delete user'],
  sureDelete: ['ユーザ {0} と、その公開鍵・転送ルールを削除します。よろしいですか?', 'Delete the user {0} with all keys and rules?'],
  sureDisable: ['ユーザ {0} の接続をすべて切断し、停止します。よろしいですか?', 'Close all connections of {0} and let nobody in by that name?'],
  sureRevoke: ['この公開鍵を失効させ、接続を切断します。よろしいですか?', 'Revoke this key and close its connections?'],
  sureRule: ['ルール「{0}」を削除し、その接続を切断します。よろしいですか?', 'Delete the rule "{0}" and close its connections?'],
  role: ['役割', 'Role'],
  role_owner: ['オーナー', 'owner'],
  role_admin: ['管理者', 'administrator'],
  role_helpdesk: ['ヘルプデスク', 'helpdesk'],
  role_engineer: ['エンジニア', 'engineer'],
  role_auditor: ['監査', 'auditor'],
  profile: ['プロフィール変更', 'Profile'],
  mail: ['メールアドレス', 'Mail address'],
  save: ['保存', 'Save'],
  saved: ['保存しました。', 'Saved.'],
  twoStep: ['2段階認証設定', 'Two-step log-in'],
  twoStepOn: ['● 有効', '● on'],
  twoStepOff: ['○ 無効', '○ off'],
  turnOn: ['有効にする', 'Turn on'],
  turnOff: ['無効にする', 'Turn off'],
  scan: ['認証アプリで読み取り、表示された 6 桁のコードを入力してください。', 'Scan this with your authenticator, then enter the 6 digits that it shows.'],
  secret: ['読み取れない場合のキー', 'If it cannot be scanned, enter this key'],
  qrAlt: ['2段階認証の QR コード', 'QR code for two-step log-in'],
  confirm: ['確定', 'Confirm'],
  recovery: ['リカバリーコード', 'Recovery codes'],
  recoveryHint: ['電話を紛失したときに 1 回ずつ使えます。いま控えてください。再表示はできません。',
    'Each works once if you lose your phone. Write them down now: they are not shown again.'],
  recoveryLeft: ['残り {0} 個', '{0} left'],
  written: ['控えました', 'I have written them down'],
  changePassword: ['パスワード変更', 'Change password'],
  changed: ['変更しました。', 'Changed.'],
  loading: ['読み込み中…', 'Loading…'],
  retry: ['再試行', 'Try again'],
  noAnswer: ['サーバに接続できません。', 'The server does not answer.'],
  over: ['ログインの有効期限が切れました。もう一度ログインしてください。', 'Your log-in is over. Please log in again.'],
  e_wrong: ['ユーザ ID、パスワード、またはコードが正しくありません。', 'The user id, the password or the code is wrong.'],
  'e_not-permitted': ['この操作は許可されていません。', 'You may not do this.'],
  'e_too-many': ['試行回数が多すぎます。しばらくしてからやり直してください。', 'Too many attempts: wait a while.'],
  'e_not-running': ['ゲートウェイ(prad)が応答していません。', 'The gateway (prad) does not answer.'],
  e_exists: ['すでに存在します。', 'This exists already.'],
  'e_not-found': ['見つかりません。', 'There is no such thing.'],
  e_invalid: ['入力内容に誤りがあります。', 'Something in the form is not right.'],
};

let lang = localStorage.getItem('lang') || (navigator.language.startsWith('ja') ? 'ja' : 'en');

export const language = () => lang;

export function setLanguage(next) {
  lang = next;
  localStorage.setItem('lang', next);
  document.documentElement.lang = next;
}

export function t(key, ...values) {
  const pair = words[key];
  if (!pair)
    return key;
  return values.reduce((text, v, i) => text.replace(`{${i}}`, v), pair[lang === 'ja' ? 0 : 1]);
}

// What went wrong, in the person's language, with the server's own words behind it: they name the argument.
export function errorText(error) {
  if (error.status === 0)
    return t('noAnswer');
  const known = words['e_' + error.code];
  const detail = error.code === 'wrong' || error.code === 'not-permitted' ? '' : error.message;
  return known ? t('e_' + error.code) + (detail ? ` (${detail})` : '') : error.message;
}

export function when(text) {
  return text ? new Date(text).toLocaleString(lang === 'ja' ? 'ja-JP' : 'en-GB', {dateStyle: 'medium', timeStyle: 'short'})
    : t('never');
}
