// Words about one key on two machines; a part of i18n.js.
export const cloneWords = {
  release: ['隔離を解除', 'Release'],
  sureRelease: ['隔離を解除しますか? 次に接続した PC に新しいチケットが発行されます。鍵が複製された可能性がある場合は、遮断してください。', 'Release this key? The PC that comes next gets a new ticket. If the key may have been copied, cut it off instead.'],
  newTicket: ['チケットを再発行', 'Give a new ticket'],
  sureNewTicket: ['現在のチケットを破棄しますか? 次に接続した PC に新しいチケットが発行されます。バックアップから復元した PC を再び接続させる場合に使用します。', 'Forget the ticket? The PC that comes next gets a new one. This is for a PC that was restored from a backup.'],
  quarantineHint: ['この鍵は 2 台の端末で検出されたため、隔離されています。復元しただけの PC であれば解除し、複製の可能性がある場合は遮断してください。', 'This key was seen on two machines and is in quarantine. Release it if the PC was only restored; cut it off if it may have been copied.'],
  ticket: ['チケット', 'Ticket'],
  ticketSince: ['{0} に更新', 'replaced {0}'],
  noTicket: ['なし', 'none yet'],
  clonePolicy: ['鍵が 2 台で使用された場合', 'When two PCs use the key'],
  clone_default: ['ユーザまたはゲートウェイの設定に従う', 'As set for the user or the gateway'],
  asGateway: ['ゲートウェイの設定に従う', 'As set for the gateway'],
  cloneHint: ['端末ごとの設定が優先されます。', 'What is set for a device comes first.'],
  clone_refuse: ['後から接続した PC を拒否', 'Refuse the second one'],
  clone_quarantine: ['鍵を隔離', 'Quarantine the key'],
  clone_allow: ['許可し、アラートのみ', 'Allow, with an alert'],
};
