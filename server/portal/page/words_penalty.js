// Words about sources that are held off for a while; a part of i18n.js.
export const penaltyWords = {
  penalties: ['接続を制限中の接続元', 'Addresses that are held off'],
  penaltiesHint: ['ログインの失敗が続いた接続元からの接続を、一定時間制限します。正規のユーザが含まれる場合は、制限を解除してください。',
    'After repeated failures an address is held off for a while. Lift it if one of your users is there.'],
  noPenalties: ['制限中の接続元はありません。', 'No address is held off.'],
  penaltyEffect: ['制限の内容', 'What is refused'],
  penaltyUntil: ['解除予定', 'Until'],
  penaltyKnown: ['△ 登録済みの公開鍵のみ接続可', '△ all but registered keys'],
  penaltyStranger: ['× すべての接続を拒否', '× every connection'],
  forgive: ['制限を解除', 'Lift'],
  forgiveAll: ['すべての制限を解除', 'Lift all'],
  sureForgiveAll: ['すべての接続元の制限を解除します。よろしいですか?', 'Lift what holds off all of these addresses?'],
};
