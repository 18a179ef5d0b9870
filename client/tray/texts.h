/*
 * The words of the tray's windows in both languages, one name each, for GTK and Win32 alike. An
 * underscore in a label (B_ button, C_ check box, L_ label of a field, M_ menu) stands before its
 * mnemonic. Formats are literals, so that the compiler checks them.
 */
#ifndef PRA_CLIENT_TRAY_TEXTS_H
#define PRA_CLIENT_TRAY_TEXTS_H

#include "common/i18n.h"

#define TXT_ASK_DISCONNECT tr("Disconnect?", "切断しますか?")
#define TXT_ASK_DISCONNECT_WHY                                                                     \
    tr("Programs that use a forward lose their connection.",                                       \
       "ポート転送を使用しているアプリケーションの通信は切れます。")
#define TXT_B_DISCONNECT tr("_Disconnect", "切断(_D)")
#define TXT_COPIED       tr("Copied: %s", "コピーしました: %s")
#define TXT_ASK_QUIT     tr("Quit?", "終了しますか?")
#define TXT_ASK_QUIT_WHY                                                                           \
    tr("The connection stays up in the background; \"Disconnect\" ends it.",                       \
       "接続はバックグラウンドで保たれます。終える場合は先に「切断」を選んでください。")
#define TXT_B_QUIT tr("_Quit", "終了(_X)")
#define TXT_ABOUT                                                                                  \
    tr("Version %s\nSecure remote access by port forwarding\nLicence: Apache-2.0",                 \
       "バージョン %s\nポート転送による安全なリモートアクセス\nライセンス: Apache-2.0")
#define TXT_LINES tr("%zu lines", "%zu 行")
#define TXT_COLLECT_HOLDS                                                                          \
    tr("It holds no passphrase and no key.", "パスフレーズと鍵は含まれていません。")
#define TXT_COLLECT_REFERENCE tr(" Audit reference: ", " 監査の参照番号: ")
#define TXT_COLLECT_BROKEN                                                                         \
    tr("\nA log was changed or has lines missing; see chain.txt.",                                 \
       "\nログが変更されたか、行が欠けています。chain.txt を参照してください。")
#define TXT_COLLECT_WRITTEN                                                                        \
    tr("Written: %s\nSend this file to your helpdesk.",                                            \
       "保存しました: %s\nこのファイルを問い合わせ先に送ってください。")
#define TXT_COLLECT_EXISTS                                                                         \
    tr("Not written: %s exists already; choose another name.",                                     \
       "保存しませんでした。%s はすでにあります。別の名前を選んでください。")
#define TXT_COLLECT_FAILED tr("Not written: %s", "保存できません: %s")
#define TXT_B_SEND         tr("Sen_d", "送信(_D)")
#define TXT_SENDING        tr("Sending to the helpdesk ...", "問い合わせ先に送信しています ...")
#define TXT_SENT                                                                                   \
    tr("Sent. Tell your helpdesk this number: %s",                                                 \
       "送信しました。問い合わせ先に受付番号をお伝えください: %s")
#define TXT_SEND_FAILED tr("Not sent: %s", "送信できませんでした: %s")
#define TXT_SEND_REFUSED_SAVE                                                                      \
    tr("Not sent: %s. Save the file and hand it over.",                                            \
       "送信できませんでした: %s。「保存」でファイルにして、問い合わせ先にお渡しください。")
#define TXT_COLLECT_SAVE_TITLE tr("Save the logs", "ログの保存")
#define TXT_COL_FILE           tr("File", "ファイル")
#define TXT_COL_SIZE           tr("Size", "サイズ")
#define TXT_COL_WHAT           tr("What", "内容")
#define TXT_COL_REMOVED        tr("Taken out", "除いた行")
#define TXT_FILES              tr("Files", "ファイル一覧")
#define TXT_COLLECT_TITLE      tr("Collect logs", "ログの収集")
#define TXT_COLLECT_INTRO                                                                                                                     \
    tr("For the helpdesk: send it over the connection that is up, or save it as one file. This "                                              \
       "is what goes in:",                                                                                                                    \
       "問い合わせ用のログです。接続中は「送信」、接続できないときは「保存」で渡してください。次" \
       "の"                                                                                                                                  \
       "内容が含まれます。")
#define TXT_PROGRESS    tr("Progress", "進行状況")
#define TXT_COLLECTING  tr("Collecting (up to 20 s) ...", "収集しています(最長 20 秒) ...")
#define TXT_CONTENT     tr("Content", "ファイルの内容")
#define TXT_B_CLOSE     tr("C_lose", "閉じる(_L)")
#define TXT_B_SAVE_AS   tr("_Save ...", "保存(_S) ...")
#define TXT_OPENING_KEY tr("Opening the key ...", "鍵を読み込んでいます ...")
#define TXT_CONNECTING  tr("Connecting ...", "接続しています ...")
#define TXT_HOST_KEY_WHY                                                                                                                     \
    tr("This PC connects to %s for the first time. Compare this fingerprint with the one that "                                              \
       "your administrator gave you:\n\n%s\n\nConnect only if they are the same.",                                                           \
       "%s "                                                                                                                                 \
       "へ初めて接続します。次の指紋を、システム管理者さまから伝えられたものと比べてください。\n" \
       "\n%s\n\n同じ場合だけ接続してください。")
#define TXT_ASK_HOST_KEY tr("Is this your company's gateway?", "このゲートウェイに接続しますか?")
#define TXT_B_SAME       tr("_Same, connect", "同じなので接続(_S)")
#define TXT_NO_REASON    tr("The agent gave no reason", "エージェントが理由を返しませんでした")
#define TXT_CONNECTED                                                                              \
    tr("Connected; port forwarding has begun", "接続が完了し、ポート転送を開始しました")
#define TXT_CONNECT    tr("Connect", "接続")
#define TXT_USER       tr("User name", "ユーザ名")
#define TXT_PASSPHRASE tr("Passphrase", "パスフレーズ")
#define TXT_CODE       tr("Code", "コード")
#define TXT_L_CODE     tr("C_ode:", "コード(_O):")
#define TXT_CODE_TITLE tr("Code of the authenticator app", "認証アプリのコード")
#define TXT_CODE_WHAT                                                                                                            \
    tr("Type the code that the authenticator app on your phone shows for PRA, or a recovery "                                    \
       "code.",                                                                                                                  \
       "スマートフォンの認証アプリに表示されている PRA のコード、またはリカバリーコードを" \
       "入力してください。")
#define TXT_M_CODE       tr("_Type the code ...", "コードの入力(_T) ...")
#define TXT_L_USER       tr("_User name:", "ユーザ名(_U):")
#define TXT_L_PASSPHRASE tr("_Passphrase:", "パスフレーズ(_P):")
#define TXT_B_CANCEL     tr("_Cancel", "キャンセル(_C)")
#define TXT_B_CONNECT    tr("Co_nnect", "接続(_N)")
#define TXT_EXPORT_SAVED                                                                           \
    tr("Saved: %s\nHand this file to your administrator, who registers it.",                       \
       "保存しました: %s\nこのファイルをシステム管理者さまに渡して、登録を依頼してください。")
#define TXT_EXPORT_FAILED tr("The public key cannot be written", "公開鍵を書き出せません")
#define TXT_EXPORT_COPIED                                                                          \
    tr("Copied. Send the text to your administrator, who registers it.",                           \
       "コピーしました。システム管理者さまに送って、登録を依頼してください。")
#define TXT_EXPORT_TITLE      tr("Export the public key", "公開鍵のエクスポート")
#define TXT_KEY_READY         tr("The key of this PC is ready", "この PC の鍵の準備ができました")
#define TXT_L_KEY_OF          tr("Key of:", "ユーザ名と PC:")
#define TXT_L_KEY_FINGERPRINT tr("Fingerprint:", "指紋:")
#define TXT_L_BINDING         tr("Binding:", "結び付け:")
#define TXT_EXPORT_WAITING                                                                                                                    \
    tr("Waiting for the administrator: hand over the public key and compare the fingerprint. "                                                \
       "Once it is registered you can connect.",                                                                                              \
       "システム管理者さまの登録待ちです。公開鍵を渡し、指紋を照合してください。登録が済むと接続" \
       "できます。")
#define TXT_ENROLL_TITLE tr("Register the key with a code", "登録コードで登録")
#define TXT_M_ENROLL     tr("_Register with a code ...", "登録コードで登録(_R) ...")
#define TXT_ENROLL_INTRO                                                                           \
    tr("Type the code that your administrator gave you, and the passphrase of this PC's key. The " \
       "public key goes to the gateway and waits there for the administrator.",                    \
       "システム管理者さまから伝えられた登録コードと、この PC "           \
       "の鍵のパスフレーズを入力してください。公開鍵を"                     \
       "ゲートウェイに送り、システム管理者さまの承認を待ちます。")
#define TXT_ENROLL_CODE   tr("Enrollment code", "登録コード")
#define TXT_L_ENROLL_CODE tr("Enrollment c_ode:", "登録コード(_O):")
#define TXT_B_ENROLL      tr("_Register", "登録(_R)")
#define TXT_ENROLL_WAITING                                                                         \
    tr("Waiting for the administrator ...", "システム管理者さまの承認を待っています ...")
#define TXT_ENROLL_WAITS                                                                                                                      \
    tr("The key was handed in. Your administrator sees the same fingerprint. If this window is "                                              \
       "closed, the request stays: the same code goes on with the wait.",                                                                     \
       "公開鍵を送信しました。システム管理者さまの画面にも同じ指紋が表示されます。このウィンドウ" \
       "を閉じても"                                                                                                                      \
       "依頼は残り、同じ登録コードで待機を再開できます。")
#define TXT_L_EXPIRES tr("Waits until:", "期限:")
#define TXT_ENROLL_LOST                                                                            \
    tr("The connection was lost; the request stays. Trying again in %d s ...",                     \
       "接続が切れました。依頼は残っています。%d 秒後に再試行します ...")
#define TXT_ENROLL_APPROVED tr("The key is registered", "承認されました")
#define TXT_ENROLL_APPROVED_WHY                                                                    \
    tr("The key of this PC is registered for the user %s. You can connect now.",                   \
       "この PC の公開鍵は、ユーザ %s に登録されました。接続できます。")
#define TXT_ENROLL_OTHER_USER                                                                                \
    tr("The key of this PC is registered for the user %s. The key was made for another name: "               \
       "type "                                                                                               \
       "this user name when you connect.",                                                                   \
       "この PC の公開鍵は、ユーザ %s "                                                           \
       "に登録されました。鍵のユーザ名と異なるため、接続時はこのユーザ名を" \
       "入力してください。")
#define TXT_ENROLL_REPLACED                                                                        \
    tr("Another window or command on this PC waits instead of this one",                           \
       "この PC の別のウィンドウまたはコマンドが代わりに待機しています")
#define TXT_ENROLL_STOPPED                                                                         \
    tr("The key could not be handed in: pra has ended",                                            \
       "公開鍵を送信できませんでした。pra が終了しました")
#define TXT_ENROLL_BAD_CODE tr("That is no enrollment code", "登録コードが正しくありません")
#define TXT_ENROLL_BAD_CODE_WHY                                                                    \
    tr("A code has 16 letters and digits, such as ABCD-EFGH-IJKL-MNOP.",                           \
       "登録コードは英数字 16 文字です(例: ABCD-EFGH-IJKL-MNOP)。")
#define TXT_B_COPY      tr("_Copy", "コピー(_C)")
#define TXT_B_SAVE_TO   tr("_Save to a file ...", "ファイルに保存(_S) ...")
#define TXT_NAME_HOLDER tr("NAME", "ユーザ名")
#define TXT_NEED_USER                                                                              \
    tr("Enter the user name that your administrator gave you, without blanks.",                    \
       "管理者から指定されたユーザ名を、空白を含めずに入力してください。")
#define TXT_NEED_PASSPHRASE                                                                        \
    tr("Choose a passphrase and remember it.",                                                     \
       "任意のパスフレーズを決めて入力し、忘れないようにしてください。")
#define TXT_NEED_AGAIN                                                                             \
    tr("Enter the same passphrase once more.", "同じパスフレーズをもう一度入力してください。")
#define TXT_NEED_POOL                                                                              \
    tr("Move the mouse in this window, or go on typing.",                                          \
       "このウィンドウの上でマウスを動かすか、キーを入力してください。")
#define TXT_STRENGTH_BITS tr("%s (about %u bits)", "%s (約 %u ビット)")
#define TXT_B_WEAK        tr("_Make it all the same", "このまま生成(_M)")
#define TXT_AGAIN         tr("Passphrase once more", "パスフレーズ(確認)")
#define TXT_STRENGTH      tr("Strength", "強度")
#define TXT_L_AGAIN       tr("Once _more:", "パスフレーズ(確認)(_M):")
#define TXT_L_STRENGTH    tr("Strength:", "強度:")
#define TXT_KEYGEN_TITLE  tr("Make a key", "鍵生成")
#define TXT_KEYGEN_INTRO                                                                           \
    tr("The key works on this PC only, with the passphrase you choose here. User names are "       \
       "case-sensitive.",                                                                          \
       "この PC でだけ使える鍵を生成します。\nユーザ名の大文字と小文字は区別されます。")
#define TXT_MAKING_KEY  tr("Making the key ...", "鍵を生成しています ...")
#define TXT_B_GENERATE  tr("_Generate", "生成(_G)")
#define TXT_ASK_REPLACE tr("Replace the key of this PC?", "この PC の鍵を置き換えますか?")
#define TXT_ASK_REPLACE_WHY                                                                                        \
    tr("This PC has a key already. A copy of the old one is kept, but the administrator has to "                   \
       "register the new one before you can connect again.",                                                       \
       "この PC の鍵はすでに生成されています。\n以前の鍵は控えとして残りますが、" \
       "新しい公開鍵をシステム管理者さまが再登録するまで接続できません。")
#define TXT_B_REPLACE tr("_Replace", "置き換える(_R)")
#define TXT_POOL_FULL tr("Random pool: full", "乱数プール: 十分です")
#define TXT_POOL      tr("Random pool", "乱数プール")
#define TXT_POOL_FEED                                                                              \
    tr("Random pool: move the mouse or type until it is full",                                     \
       "乱数プール: マウスを動かすか、キーを入力してください")
#define TXT_PROXY_BAD       tr("The proxy cannot be used", "プロキシが使用できません")
#define TXT_SETTINGS_FAILED tr("The settings cannot be saved", "設定を保存できません")
#define TXT_ALL             tr("All", "すべて")
#define TXT_ERRORS_ONLY     tr("Errors only", "エラーのみ")
#define TXT_NONE            tr("None", "なし")
#define TXT_AS_SYSTEM       tr("As the system", "システムの設定")
#define TXT_OPTIONS_TITLE   tr("Options", "オプション")
#define TXT_C_AUTOSTART     tr("_Start PRA at login", "ログイン時に PRA を起動する(_S)")
#define TXT_C_CONNECT                                                                              \
    tr("As_k for the passphrase at start", "起動時に接続する(パスフレーズを入力)(_K)")
#define TXT_NOTICES         tr("Notices", "通知")
#define TXT_LANGUAGE        tr("Language", "言語")
#define TXT_PROXY           tr("HTTP proxy", "プロキシサーバアドレス")
#define TXT_L_NOTICES       tr("_Notices:", "通知(_N):")
#define TXT_L_LANGUAGE      tr("_Language:", "言語(_L):")
#define TXT_L_PROXY         tr("HTTP _proxy:", "プロキシサーバアドレス(_P):")
#define TXT_B_OK            tr("_OK", "OK(_O)")
#define TXT_ADDRESS_BAD     tr("The address cannot be used", "アドレスが使用できません")
#define TXT_FINGERPRINT_BAD tr("The fingerprint is not complete", "指紋が正しくありません")
#define TXT_FINGERPRINT_BAD_WHY                                                                    \
    tr("SHA256: and 43 characters are expected, as your administrator gave them.",                 \
       "システム管理者さまから伝えられた、SHA256: に続く 43 文字を入力してください。")
#define TXT_SERVER_SAVED tr("Saved", "設定しました")
#define TXT_SERVER_SAVED_WHY                                                                       \
    tr("The connection that stands keeps the old address until you connect again.",                \
       "現在の接続は以前のアドレスのままです。接続し直すと新しい設定が有効になります。")
#define TXT_FP_INCOMPLETE                                                                          \
    tr("× not complete: SHA256: and 43 characters", "× SHA256: に続く 43 文字を入力してください")
#define TXT_FP_DIFFERS                                                                             \
    tr("× differs from the key that the gateway showed last time",                                 \
       "× 前回の接続で確認した鍵と異なります")
#define TXT_FP_SAME                                                                                \
    tr("● the key that the gateway showed last time", "● 前回の接続で確認した鍵と一致します")
#define TXT_FP_COMPLETE tr("● complete", "● 形式は正しいです")
#define TXT_FP_KNOWN    tr("Confirmed before: %s", "確認済みの指紋: %s")
#define TXT_FP_EMPTY                                                                               \
    tr("If this stays empty, PRA shows the fingerprint at the first connection and asks you to "   \
       "compare it.",                                                                              \
       "空欄の場合は、初回の接続時に指紋を表示して確認をお願いします。")
#define TXT_SERVER_TITLE  tr("Server", "サーバ設定")
#define TXT_ADDRESS       tr("Server address", "SUS サーバアドレス")
#define TXT_FINGERPRINT   tr("Fingerprint", "指紋")
#define TXT_L_ADDRESS     tr("Server _address:", "SUS サーバアドレス(_A):")
#define TXT_L_FINGERPRINT tr("_Fingerprint:", "指紋(_F):")
#define TXT_B_SET         tr("_Set", "設定(_S)")
#define TXT_B_SAVE        tr("_Save", "保存(_S)")
#define TXT_M_CONNECTION  tr("_Connection", "接続(_C)")
#define TXT_M_CONNECT     tr("_Connect ...", "接続(_C) ...")
#define TXT_M_DISCONNECT  tr("_Disconnect ...", "切断(_D) ...")
#define TXT_B_RETRY       tr("_Retry now", "今すぐ再接続(_R)")
#define TXT_M_SETTINGS    tr("Se_ttings", "設定(_T)")
#define TXT_M_PROFILE     tr("Open a _profile ...", "プロファイルを開く(_P) ...")
#define TXT_PROFILE_OPEN  tr("Open a profile", "接続プロファイルを開く")
#define TXT_PROFILE       tr("Connection profile", "接続プロファイル")
#define TXT_PROFILE_ASK   tr("Use these settings?", "この設定を使用しますか?")
#define TXT_PROFILE_BAD   tr("The profile cannot be used", "接続プロファイルを使用できません")
/* With file, line and what is wrong there, for whoever made it. */
#define TXT_PROFILE_BAD_WHY                                                                         \
    tr("It is damaged, or no profile of PRA. Ask your administrator for a new one.\n\n%s",          \
       "ファイルが破損しているか、PRA のプロファイルではありません。\n" \
       "システム管理者さまに再発行を依頼してください。\n\n%s")
#define TXT_PROFILE_NOW tr("until now: %s", "現在の設定: %s")
#define TXT_PROFILE_CAREFUL                                                                        \
    tr("Use only a profile that your administrator gave you.",                                     \
       "システム管理者さまから受け取ったプロファイルだけを使用してください。")
#define TXT_PROFILE_STANDS                                                                         \
    tr("The connection that stands keeps the old settings until you connect again.",               \
       "現在の接続は以前の設定のままです。接続し直すと新しい設定が有効になります。")
#define TXT_B_USE         tr("_Use", "使用する(_U)")
#define TXT_B_OPEN        tr("_Open", "開く(_O)")
#define TXT_L_NAME        tr("Name:", "名前:")
#define TXT_L_ITS_ADDRESS tr("Server address:", "SUS サーバアドレス:")
#define TXT_L_ITS_USER    tr("User name:", "ユーザ名:")
#define TXT_M_SERVER      tr("_Server ...", "サーバ設定(_S) ...")
#define TXT_M_OPTIONS     tr("_Options ...", "オプション(_O) ...")
#define TXT_M_KEY         tr("_Key", "鍵生成(_K)")
#define TXT_M_KEYGEN      tr("_Make a key ...", "鍵生成(_G) ...")
#define TXT_M_EXPORT      tr("_Export the public key ...", "公開鍵のエクスポート(_E) ...")
#define TXT_M_HELP        tr("_Help", "ヘルプ(_H)")
#define TXT_M_COLLECT     tr("Collect _logs ...", "ログの収集(_L) ...")
#define TXT_M_VERSION     tr("_Version", "バージョン情報(_V)")
#define TXT_STATUS        tr("Status", "ステータス")
#define TXT_COL_STATE     tr("State", "状態")
#define TXT_COL_NAME      tr("Name", "名前")
#define TXT_COL_LOCAL     tr("On this PC", "この PC のアドレス")
#define TXT_COL_TARGET    tr("Target", "転送先")
#define TXT_COL_OPEN      tr("Open", "接続数")
#define TXT_COL_TRAFFIC   tr("Traffic", "通信量")
#define TXT_CLICK_COPIES  tr("Click to copy", "クリックでコピー")
#define TXT_NOTE_FREE     tr("%s\nFree on this PC: %s", "%s\nこの PC で空いているアドレス: %s")
#define TXT_COPY_ADDRESS  tr("Copy %s", "%s をコピー")
#define TXT_FORWARDS      tr("Forwards", "ポート転送")
#define TXT_NO_FORWARDS                                                                            \
    tr("The forwards are listed here while PRA is connected.",                                     \
       "接続すると、ポート転送の一覧がここに表示されます。")
#define TXT_B_SERVER tr("_Set the server ...", "サーバ設定(_S) ...")

/* Only where a list cannot hold a button in a row, or a control has no name of its own. */
#define TXT_COPY_FAILED                                                                            \
    tr("Another program holds the clipboard; try again.",                                          \
       "クリップボードを使用できません。もう一度お試しください。")
#define TXT_B_COPY_ADDRESS tr("Copy _address", "アドレスをコピー(_A)")
#define TXT_L_FORWARDS     tr("_Forwards:", "ポート転送(_F):")
#define TXT_NOTE           tr("Details", "詳細")

#endif
