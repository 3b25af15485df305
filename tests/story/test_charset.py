"""Subtitles in the encodings that languages were written in before UTF-8: read, and their language told."""

# ruff: noqa: E501
from __future__ import annotations

import unicodedata

import pytest

from cinecut.analysis.dialogue.subtitles.charset import decode

# Four lines of dialogue in each language, and the encodings that its files come in.
LINES: dict[str, tuple[str, str]] = {
    "de": ("cp1252 iso8859_15 cp850 mac_roman utf_7", "Ich weiß nicht, was du für mich tun könntest.|Das ist schön. Wo übernachten Sie heute?|Er hat gestern geschlafen und nichts gehört.|Hör auf, mich zu fragen, und geh nach Hause!"),
    "fr": ("cp1252 iso8859_15 cp850 mac_roman cp863", "Je ne sais pas où il est passé hier soir.|C’est très étrange, vous êtes déjà là.|Qu’est-ce que tu as fait à ma sœur ?|On s'en va, ça ne nous intéresse plus."),
    "es": ("cp1252 iso8859_15 cp850 mac_roman", "¿Qué estás haciendo aquí, señor?|No sé por qué él se fue mañana.|Está bien, hermano. Vámonos ya.|Nadie más lo sabrá jamás."),
    "pt": ("cp1252 iso8859_15 cp850 mac_roman cp860", "Não sei o que você está fazendo aqui.|É uma questão de coração, irmão.|Então amanhã não há ninguém lá.|Você já comeu o pão da avó?"),
    "sv": ("cp1252 iso8859_15 cp850 cp865", "Jag vet inte vad du gör här på kvällen.|Det är för sent att åka nu.|Har du hört något från honom?|Vi måste gå därifrån så fort som möjligt."),
    "da": ("cp1252 iso8859_15 cp850 cp865", "Jeg ved ikke, hvad du gør på øen.|Det er også for sent at køre nu.|Hvor er æblet, som jeg gav dig?|Vi må gå, før han får os at se."),
    "is": ("cp1252 iso8859_15 cp850 cp861 mac_iceland", "Ég veit ekki hvað kom fyrir konuna mína.|Hvar varstu? Ég beið eftir þér í alla nótt.|Á morgun verðum við komin heim, vinur.|Segðu mér sannleikann áður en ég fer."),
    "sr": ("cp1251 iso8859_5 cp855 mac_cyrillic", "Не знам шта се десило мојој жени.|Где си био? Чекала сам те целу ноћ.|Сутра ћемо већ бити код куће, пријатељу.|Реци ми истину пре него што одем."),
    "pl": ("cp1250 iso8859_2 cp852 mac_latin2 iso8859_16", "Nie wiem, co się stało z moją żoną.|Gdzie jesteś? Czekałem całą noc.|Już jutro będziemy w domu, przyjacielu.|Proszę, powiedz mi prawdę, zanim odejdę."),
    "cs": ("cp1250 iso8859_2 cp852 mac_latin2", "Nevím, co se stalo s mou ženou.|Kde jsi byl? Čekala jsem celý večer.|Už zítra budeme doma, příteli.|Řekni mi pravdu, než odejdu."),
    "hu": ("cp1250 iso8859_2 cp852", "Nem tudom, mi történt a feleségemmel.|Hol voltál? Egész éjjel vártam rád.|Holnap már otthon leszünk, öregem.|Kérlek, mondd el az igazat, mielőtt elmegyek, jó?"),
    "ro": ("cp1250 iso8859_2 iso8859_16 mac_romanian", "Nu ştiu ce s-a întâmplat cu soţia mea.|Unde ai fost? Te-am aşteptat toată noaptea.|Mâine vom fi acasă, prietene, şi vom dormi.|Spune-mi adevărul înainte să plec."),
    "hr": ("cp1250 iso8859_2 cp852 mac_croatian", "Ne znam što se dogodilo s mojom ženom.|Gdje si bio? Čekala sam te cijelu noć.|Sutra ćemo već biti kod kuće, prijatelju.|Reci mi istinu prije nego što odem."),
    "tr": ("cp1254 iso8859_9 cp857 mac_turkish iso8859_3", "Karıma ne olduğunu bilmiyorum.|Neredeydin? Bütün gece seni bekledim.|Yarın evde olacağız, dostum, güven bana.|Gitmeden önce bana gerçeği söyle."),
    "lt": ("cp1257 iso8859_13 iso8859_4 cp775", "Aš nežinau, kas atsitiko mano žmonai.|Kur tu buvai? Laukiau visą naktį.|Rytoj jau būsime namie, bičiuli.|Pasakyk man tiesą, kol neišėjau."),
    "et": ("cp1257 iso8859_13 iso8859_4 cp775", "Ma ei tea, mis mu naisega juhtus.|Kus sa olid? Ootasin terve öö.|Homme oleme jälle kodus, sõber, või ei?|Ütle mulle tõtt, enne kui ma lähen."),
    "ru": ("cp1251 koi8_r cp866 iso8859_5 mac_cyrillic cp855 utf_7", "Я не знаю, что случилось с моей женой.|Где ты был? Я ждала тебя всю ночь.|Завтра мы уже будем дома, дружище.|Скажи мне правду, пока я не ушёл."),
    "uk": ("cp1251 koi8_u cp1125 mac_cyrillic", "Я не знаю, що сталося з моєю дружиною.|Де ти був? Я чекала на тебе всю ніч.|Завтра ми вже будемо вдома, друже.|Скажи мені правду, перш ніж я піду, її чекають."),
    "bg": ("cp1251 iso8859_5 mac_cyrillic", "Не знам какво се случи с жена ми.|Къде беше? Чаках те цяла нощ.|Утре вече ще сме си у дома, приятелю.|Кажи ми истината, преди да си тръгна."),
    "el": ("cp1253 iso8859_7 cp737 mac_greek cp869", "Δεν ξέρω τι έγινε με τη γυναίκα μου.|Πού ήσουν; Σε περίμενα όλη τη νύχτα.|Αύριο θα είμαστε στο σπίτι, φίλε.|Πες μου την αλήθεια πριν φύγω."),
    "he": ("cp1255 iso8859_8 cp862 utf_7", "אני לא יודע מה קרה לאשתי.|איפה היית? חיכיתי לך כל הלילה.|מחר כבר נהיה בבית, חבר שלי.|תגיד לי את האמת לפני שאני הולך."),
    "ar": ("cp1256 iso8859_6 cp720 mac_arabic utf_7", "لا أعرف ماذا حدث لزوجتي.|أين كنت؟ انتظرتك طوال الليل.|غدا سنكون في البيت يا صديقي.|قل لي الحقيقة قبل أن أذهب من هنا."),
    "fa": ("cp1256", "من نمي دانم چه بر سر همسرم آمده است.|کجا بودي؟ تمام شب را براي تو صبر کردم.|فردا در خانه هستيم، دوست من.|پيش از آن که بروم حقيقت را به من بگو."),
    "th": ("cp874 tis_620 utf_7", "ผมไม่รู้ว่าเกิดอะไรขึ้นกับภรรยาของผม|คุณอยู่ที่ไหนมา ฉันรอคุณทั้งคืน|พรุ่งนี้เราจะอยู่ที่บ้านแล้วเพื่อน|บอกความจริงกับผมก่อนที่ผมจะไป"),
    "vi": ("cp1258", "Tôi không biết chuyện gì đã xảy ra với vợ tôi.|Anh đã ở đâu? Em đợi anh cả đêm.|Ngày mai chúng ta sẽ về nhà, bạn của tôi.|Hãy nói cho tôi sự thật trước khi tôi đi."),
    "ja": ("cp932 euc_jp iso2022_jp iso2022_jp_ext iso2022_jp_3 utf_7", "妻に何があったのか分からない。|どこにいたの？一晩中待っていたのよ。|明日はもう家にいるよ、友よ。|行く前に本当のことを言ってくれ。"),
    "ko": ("cp949 iso2022_kr johab utf_7", "아내에게 무슨 일이 있었는지 모르겠어요.|어디 있었어? 밤새도록 기다렸잖아.|내일이면 집에 있을 거야, 친구.|가기 전에 나한테 사실을 말해 줘."),
    "zh": ("gb18030 big5 hz utf_7", "我不知道我的妻子出了什么事。|你去哪里了？我等了你一整夜。|明天我们就在家里了，我的朋友。|在我走之前，告诉我真相吧。"),
    "mk": ("cp1251 iso8859_5 cp855 mac_cyrillic", "Не знам што се случи со жена ми.|Каде беше? Те чекав цела ноќ.|Утре веќе ќе бидеме дома, пријателе.|Кажи ми ја вистината пред да заминам."),
    "be": ("cp1251 iso8859_5 mac_cyrillic", "Я не ведаю, што здарылася з маёй жонкай.|Дзе ты быў? Я чакала цябе ўсю ноч.|Заўтра мы ўжо будзем дома, дружа.|Скажы мне праўду, перш чым я пайду."),
    "kk": ("kz1048 ptcp154", "Мен әйеліме не болғанын білмеймін.|Сен қайда болдың? Мен сені түні бойы күттім.|Ертең біз үйде боламыз, досым.|Мен кетпей тұрып маған шындықты айт."),
    "sq": ("cp1252 iso8859_15 cp850 mac_roman", "Nuk e di çfarë i ndodhi gruas sime.|Ku ishe? Të prita gjithë natën.|Nesër do të jemi në shtëpi, miku im.|Më thuaj të vërtetën para se të iki."),
    "ca": ("cp1252 iso8859_15 cp850 mac_roman", "No sé què li va passar a la meva dona.|On eres? T'he esperat tota la nit, això és veritat.|Demà ja serem a casa, amic meu, és clar.|Digues-me la veritat abans que me'n vagi."),
    "gl": ("cp1252 iso8859_15 cp850", "Non sei que lle pasou á miña muller.|Onde estabas? Agardei por ti toda a noite, señor.|Mañá xa estaremos na casa, meu amigo.|Dime a verdade antes de que me vaia."),
    "mt": ("iso8859_3", "Ma nafx x'ġara lil marti.|Fejn kont? Stennejtek il-lejl kollu, jien għajjien.|Għada nkunu d-dar, ħabib tiegħi.|Għidli l-verità qabel ma mmur."),
    "eo": ("iso8859_3", "Mi ne scias, kio okazis al mia edzino, ĉu vi?|Kie vi estis? Mi atendis vin la tutan nokton, ĝis nun.|Morgaŭ ni jam estos hejme, mia amiko.|Diru al mi la veron, antaŭ ol mi iros."),
    "cy": ("iso8859_14", "Dw i ddim yn gwybod beth ddigwyddodd i fy ngwraig, ŵyr neb.|Ble oeddet ti? Arhosais i amdanat ti drwy'r nos, yn y tŷ.|Yfory byddwn ni gartref, fy ffrind.|Dywed y gwir wrthyf cyn i mi fynd."),
}  # fmt: skip
TRADITIONAL = "我不知道我的妻子出了什麼事。|你去哪裡了？我等了你一整夜。|明天我們就在家裡了，我的朋友。|在我走之前，告訴我真相吧。"
CASES = [(language, encoding) for language, (encodings, _) in LINES.items() for encoding in encodings.split()]


def subtitles(language: str, encoding: str, long: bool) -> tuple[bytes, list[str]]:
    """A file of two lines or of forty, and its lines as it can write them."""
    text = TRADITIONAL if encoding == "big5" else LINES[language][1]
    spoken = text.split("|") * 10 if long else text.split("|")[:2]
    if encoding == "cp1258":  # which writes the marks of tones after their letters
        spoken = [_decomposed(line) for line in spoken]
    cues = [f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\n{line}\n" for n, line in enumerate(spoken, 1)]
    data = "\n".join(cues).encode(encoding, "replace")
    return data, data.decode(encoding).split("\n")


def _decomposed(line: str) -> str:

    kept = []
    for sign in line:
        try:
            sign.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", sign)
            tones = [part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323"]
            sign = unicodedata.normalize("NFC", "".join(p for p in parts if p not in tones)) + "".join(tones)
        kept.append(sign)
    return "".join(kept)


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize(("language", "encoding"), CASES)
def test_legacy_encodings_are_read(language: str, encoding: str, long: bool) -> None:
    data, wanted = subtitles(language, encoding, long)
    found = decode(data).text.split("\n")
    assert found == wanted


def test_katakana_of_half_the_width_is_read() -> None:
    line = "ｱﾘｶﾞﾄｳ、妻よ。"
    assert decode(line.encode("iso2022_jp_ext")).text == line


@pytest.mark.parametrize(
    "line", ["Call +1 555 0100 now, you hear?", "What is the sum, 2+2-1 or what?", "A+B-C and that is it"]
)
def test_a_plus_that_means_itself(line: str) -> None:
    data = f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n".encode()
    assert decode(data).text == data.decode()
