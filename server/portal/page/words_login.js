// Words of logging in and out; a part of i18n.js.
export const loginWords = {
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
};
