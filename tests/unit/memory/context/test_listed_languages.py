# ruff: noqa: RUF001 - these are questions in many scripts
"""Which questions are in a language whose referring words are listed, and so can be told from follow-ups."""

import pytest

from pentad.memory.context.asked import SHORT_WORDS, build_search_text, count_words, is_follow_up
from pentad.memory.context.listed_languages import is_listed

FOLLOW_UPS = {
    "bn": "সেটা সাধারণত বিদেশে থাকা গ্রাহকদের জন্য কত দিন বৈধ থাকে?",
    "ur": "بیرون ملک رہنے والے صارفین کے لیے یہ عموماً کتنے دن تک درست رہتا ہے؟",
    "mr": "परदेशात राहणाऱ्या ग्राहकांसाठी ते साधारणपणे किती दिवस वैध असते?",
    "ne": "विदेशमा बस्ने ग्राहकहरूका लागि त्यो सामान्यतया कति दिन मान्य हुन्छ?",
    "te": "విదేశాల్లో నివసించే వినియోగదారులకు అది సాధారణంగా ఎన్ని రోజులు చెల్లుతుంది మరియు ఎందుకు?",
    "ml": "വിദേശത്ത് താമസിക്കുന്ന ഉപഭോക്താക്കൾക്ക് അത് സാധാരണയായി എത്ര ദിവസം സാധുവാണ് എന്ന് പറയൂ?",
    "ka": "რამდენ ხანს მოქმედებს ის ჩვეულებრივ საზღვარგარეთ მცხოვრები მომხმარებლებისთვის?",
    "hy": "Որքա՞ն ժամանակ է դա սովորաբար գործում արտերկրում ապրող հաճախորդների համար:",
    "am": "ይህ ብዙውን ጊዜ በውጭ አገር ለሚኖሩ ደንበኞች ለምን ያህል ጊዜ ይሠራል?",
    "km": "តើវាមានសុពលភាពរយៈពេលប៉ុន្មានសម្រាប់អតិថិជននៅក្រៅប្រទេស",
    "my": "၎င်းသည် နိုင်ငံခြားတွင် နေထိုင်သော ဖောက်သည်များအတွက် ဘယ်လောက်ကြာ သက်တမ်းရှိသလဲ",
    "lt": "Kiek laiko tai paprastai galioja užsienyje gyvenantiems mūsų klientams?",
    "lv": "Cik ilgi tas parasti ir spēkā klientiem, kuri dzīvo ārzemēs?",
    "et": "Kui kaua see tavaliselt välismaal elavate klientide jaoks kehtib?",
    "bg": "Колко време обикновено важи това за клиентите, които живеят в чужбина?",
    "is": "Hversu lengi gildir það venjulega fyrir viðskiptavini sem búa erlendis?",
    "ca": "Quant de temps sol ser vàlid allò per als clients que viuen fora?",
    "eu": "Zenbat denboraz balio izaten du horrek atzerrian bizi diren bezeroentzat?",
    "tl": "Gaano katagal iyon karaniwang may bisa para sa mga customer sa ibang bansa?",
    "ha": "Har yaushe wannan yake aiki ga abokan ciniki da ke zaune a waje?",
    "yo": "Ìgbà wo ni èyí máa ń ṣiṣẹ́ fún àwọn oníbàárà tó ń gbé lókè òkun?",
    "zu": "Kuvamise ukusebenza isikhathi esingakanani lokho kumakhasimende ahlala phesheya kwezilwandle?",
    "kk": "Бұл әдетте шетелде тұратын тұтынушылар үшін қанша уақыт жарамды болады?",
    "mn": "Энэ нь гадаадад амьдардаг үйлчлүүлэгчдэд ихэвчлэн хэр удаан хүчинтэй байдаг вэ?",
    "az": "Bu adətən xaricdə yaşayan müştərilər üçün nə qədər müddət etibarlıdır?",
    "uz": "Bu odatda chet elda yashaydigan mijozlar uchun qancha vaqt amal qiladi?",
    "sq": "Sa kohë është zakonisht e vlefshme kjo për klientët që jetojnë jashtë?",
    "cy": "Am ba hyd mae hynny fel arfer yn ddilys i gwsmeriaid dramor?",
    "ms": "Berapa lamakah ia biasanya sah untuk pelanggan yang tinggal di luar negara?",
}
"""Most are of no listed language; bg, ca, ha and ms have a few words each."""

NEIGHBOURS = (
    "Koliko dugo to obično vrijedi za kupce koji žive u inozemstvu?",  # hr
    "Može li ga netko drugi u tvrtki potpisati umjesto direktora?",  # hr
    "Колико дуго то обично важи за купце који живе у иностранству?",  # sr
    "Да ли исти поступак важи и за стране добављаче без рачуна?",  # sr
    "Kako dolgo to običajno velja za stranke, ki živijo v tujini?",  # sl
    "Ali enak postopek velja tudi za tuje dobavitelje brez računa?",  # sl
    "Ako dlho to zvyčajne platí pre zákazníkov, ktorí žijú v zahraničí?",  # sk
    "Platí rovnaký postup aj pre zahraničných dodávateľov bez faktúry?",  # sk
    "Колку долго обично важи тоа за клиентите што живеат во странство?",  # mk
    "Дали истата постапка важи и за странските добавувачи без фактура?",  # mk
    "Як доўга гэта звычайна дзейнічае для кліентаў, якія жывуць за мяжой?",  # be
    "Ці дзейнічае такая ж працэдура для замежных пастаўшчыкоў без рахунку?",  # be
    "Cé chomh fada is a mhaireann sé sin de ghnáth do chustaiméirí thar lear?",  # ga
    "An bhfuil an nós imeachta céanna ann do sholáthróirí eachtracha gan sonrasc?",  # ga
    "Dè cho fada ’s a mhaireas sin mar as trice do luchd-ceannach thall thairis?",  # gd
    "Canto tempo adoita ser válido iso para os clientes que viven fóra?",  # gl
    "O mesmo procedemento vale tamén para provedores estranxeiros sen factura?",  # gl
    "El mateix procediment val també per a proveïdors estrangers sense factura?",  # ca
    "Hoe lank is dit gewoonlik geldig vir kliënte wat in die buiteland woon?",  # af
    "Geld dieselfde prosedure ook vir buitelandse verskaffers sonder 'n faktuur?",  # af
    "Wéi laang ass dat normalerweis gülteg fir Clienten, déi am Ausland wunnen?",  # lb
    "Gëllt déi selwecht Prozedur och fir auslännesch Liwweranten ouni Rechnung?",  # lb
    "Quant de temps aquò es valid per los clients que demòran a l'estrangièr?",  # oc
    "La meteissa procedura val tanben per los provesidors estrangièrs sens factura?",  # oc
    "Quamdiu id plerumque valet pro emptoribus qui foris habitant et laborant?",  # la
    "Num eadem ratio valet etiam pro mercatoribus externis sine scripto?",  # la
    "Kas sama kord kehtib ka välismaistele tarnijatele ilma arveta?",  # et
    "Gildir sama aðferð einnig um erlenda birgja án reiknings?",  # is
    "Adakah prosedur yang sama terpakai untuk pembekal asing tanpa invois?",  # ms
    "A yw'r un drefn yn berthnasol i gyflenwyr tramor heb anfoneb?",  # cy
    "Важи ли същата процедура и за чуждестранни доставчици без фактура?",  # bg
    "Intee in le'eg ayuu caadi ahaan u ansax yahay macaamiisha dibadda ku nool?",  # so
    "ווי לאַנג איז דאָס געוויינטלעך גילטיק פֿאַר קאַסטאַמערז וואָס וואוינען אין אויסלאַנד?",  # yi
    "El mesmu procedimientu val tamién pa los proveedores estranxeros ensin factura?",  # ast
)
"""Their short words are in part those of a listed language; a half was written after the lists."""

ALONE = {
    "en": "What is the refund period for books bought in another country?",
    "de": "Welche Unterlagen braucht ein Lieferant vor der ersten Rechnung im Portal?",
    "fr": "Quels documents un fournisseur doit-il envoyer avant la première facture ?",
    "es": "¿Qué documentos necesita un proveedor antes de la primera factura pagada?",
    "it": "Quali documenti deve inviare un fornitore prima della prima fattura?",
    "pt": "Quais documentos um fornecedor precisa enviar antes da primeira fatura?",
    "nl": "Welke documenten heeft een leverancier nodig voor de eerste factuur?",
    "sv": "Vilka dokument behöver en leverantör innan den första fakturan betalas?",
    "da": "Hvilke dokumenter skal en leverandør sende før den første faktura betales?",
    "no": "Hvilke dokumenter må en leverandør sende før den første fakturaen betales?",
    "fi": "Mitä asiakirjoja toimittaja tarvitsee ennen kuin ensimmäinen lasku maksetaan yrityksessä?",
    "pl": "Jakie dokumenty musi wysłać dostawca przed zapłatą pierwszej faktury w systemie?",
    "cs": "Jaké dokumenty musí dodavatel poslat před první fakturou v systému?",
    "hu": "Milyen dokumentumokat kell küldenie egy szállítónak az első számla előtt?",
    "tr": "Bir tedarikçi ilk faturadan önce hangi belgeleri göndermek zorunda?",
    "ro": "Ce documente trebuie să trimită un furnizor înainte de prima factură?",
    "ru": "Какие документы поставщик должен прислать до оплаты первого счёта в системе?",
    "uk": "Які документи постачальник має надіслати до оплати першого рахунку в системі?",
    "vi": "Nhà cung cấp cần gửi những tài liệu nào trước hóa đơn đầu tiên?",
    "id": "Dokumen apa yang harus dikirim pemasok sebelum faktur pertama dibayar?",
    "ar": "ما هي مدة استرداد ثمن الكتب للشركات في مصر؟",
    "fa": "کارمندان جدید در سال چند روز مرخصی دارند و از کی؟",
    "he": "אילו מסמכים ספק צריך לשלוח לפני החשבונית הראשונה במערכת?",
    "hi": "नए कर्मचारियों को साल में कितने दिन की छुट्टी मिलती है?",
    "ko": "새로운 직원은 일 년에 며칠의 휴가를 받을 수 있습니까 회사에서?",
    "ja": "新しい社員は一年に何日の休暇を取ることができますか",
    "zh": "新员工每年有多少天的带薪休假以及从什么时候开始计算",
    "th": "พนักงานใหม่มีวันลาพักร้อนกี่วันต่อปีตามระเบียบของบริษัท",
    "el": "Πόσες ημέρες άδειας έχουν οι νέοι υπάλληλοι τον χρόνο στην εταιρεία;",
    "sw": "Mfanyakazi mpya ana siku ngapi za likizo kwa mwaka katika kampuni?",
    "ta": "புதிய ஊழியர்களுக்கு ஒரு ஆண்டில் எத்தனை நாட்கள் விடுமுறை நிறுவனத்தில் கிடைக்கும்?",
}


@pytest.mark.parametrize("question", FOLLOW_UPS.values(), ids=FOLLOW_UPS)
def test_a_question_of_another_language_is_searched_with_the_one_before(question: str) -> None:
    assert count_words(question) > SHORT_WORDS
    assert build_search_text(question, "before") == f"before\n{question}"


@pytest.mark.parametrize("question", NEIGHBOURS)
def test_a_listed_language_is_not_told_where_a_neighbour_explains_the_question_as_well(question: str) -> None:
    assert count_words(question) > SHORT_WORDS
    assert not is_listed(question) and is_follow_up(question)


@pytest.mark.parametrize("question", ALONE.values(), ids=ALONE)
def test_a_question_of_a_listed_language_that_refers_to_nothing_is_searched_by_itself(question: str) -> None:
    assert count_words(question) > SHORT_WORDS
    assert is_listed(question) and not is_follow_up(question)


def test_a_language_is_told_by_letters_that_others_of_the_script_do_not_have() -> None:
    assert is_listed("ما هي مدة استرداد ثمن الكتب للشركات في مصر؟")
    assert not is_listed("مصر میں کمپنیوں کے لیے کتابوں کی واپسی کی مدت کیا ہے؟")
