# ruff: noqa: RUF001 - these are words of many scripts
"""Words by which a question leans on the one before: what stands for something said, and how it goes on. Pure."""

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile("[^\\W_]+(?:['\u2019][^\\W_]+)*")
# Words that stand for something said before, of languages with many speakers; none that is an article or a word of
# every question in one of the others. What is missing costs little: most follow-ups are short.
_WORDS: Final = frozenset(
    "it its they their them this that these those he him his she her there then one ones same former latter "
    "ihn ihm ihnen dies diese dieser dieses diesen diesem dessen deren dort "  # German
    "dafür davon damit dazu darüber daran dabei hierzu jener jenes "
    "elle ils elles celui celle ceux celles cela ceci ça leur leurs lui cette ces cet "  # French
    "él ella ellos ellas eso esto esa ese esos esas esta estos estas aquello allí ahí "  # Spanish
    "ele ela eles elas isso isto aquilo esse essa esses essas aquele aquela lá dele dela deles delas "  # Portuguese
    "esso essi questo questa questi queste quello quella quelli quelle lì ciò loro "  # Italian
    "hij zij deze hun daar ervan daarvan ermee "  # Dutch
    "jego jej tego tej tym tych tam toho tomu "  # Polish, Czech
    "он она оно они его её ее их этот эта эти тот том там туда этого этой этом этих этому этим этими "  # Russian
    "неё них нему ней ним ними таком "
    "він вона воно вони його її цей ця це ці цього цьому цієї цій цим цих цими тоді "  # Ukrainian
    "onu onun bu bunu bunun buna şu bunlar bunları bunlara onlar onlara orada bundan ondan "  # Turkish
    "itu ini tersebut begitu đó này nó ấy hiyo hii hizo huo hilo "  # Indonesian, Vietnamese, Swahili
    "det denna detta dessa dess denne dette disse dens dets deres "  # Swedish, Danish, Norwegian
    "αυτό αυτή αυτά αυτός αυτού αυτής αυτών αυτόν αυτήν εκείνο εκείνη εκεί "  # Greek
    "அது இது அந்த இந்த அவை இவை அதன் அதை "  # Tamil
    "ez ezt ezek erre ennek ebben arra annak abban azt azok ehhez ahhoz "  # Hungarian
    "sitä siitä siihen sen tämä tämän tätä niitä niiden näitä "  # Finnish
    "acesta aceasta acestea aceștia acest această acel acela aceea asta ăsta acolo "  # Romanian
    "това този тази тези него нея тях тогава "  # Bulgarian
    "toga tome ovo ova ovaj ovog ovoga njih njega njegov njihov тога томе ово овај ова њега њих "  # Croatian, Serbian
    "toho tomu tento táto tieto tohto tejto nich tega temu njih njega tisti ta "  # Slovak, Slovenian
    "això allò aquest aquesta aquests aquelles aquella wannan waɗannan ia "  # Catalan, Hausa, Malay
    "هذا هذه ذلك تلك هؤلاء هناك منه منها عنه عنها فيه فيها له لها "  # Arabic
    "او آن این آنها اینها آنجا همان "  # Persian
    "הוא היא הם הן זאת זו אלה שם אותו אותה "  # Hebrew
    "यह वह ये वे इस उस इसका उसका इसके उसके इसे उसे इनका उनका वहाँ "  # Hindi
    "그것 그거 이것 이거 저것 그 이 저 거기 그건 이건 그게 이게 "  # Korean
    # The same, in the order of above.
    "dasselbe dieselbe dieselben denselben derselbe derselben gleiche gleichen gleicher gleiches même mêmes pareil "
    "mismo misma mismos mismas igual mesmo mesma mesmos mesmas stesso stessa stessi stesse hetzelfde dezelfde "
    "samo stejný stejná stejné stejně totéž тоже aynı aynısı samma samme ίδιο ίδια ίδιος ίδιοι ίδιες அதே "
    "ugyanez ugyanaz ugyanezt ugyanazt ugyanúgy sama saman samat samaa același aceeași aceiași aceleași vilevile "
    "نفس همین वही यही उसी इसी 같은".split()
)
_PARTS: Final = (
    *("它", "她", "他们", "这", "這", "那", "该", "上述"),
    *("それ", "これ", "あれ", "その", "この", "あの", "そこ", "มัน", "นี้", "นั้น"),
    *("の場合は", "同じ", "同様", "同样", "一样", "相同", "เหมือนกัน", "เช่นกัน", "동일", "마찬가지", "똑같"),
)
_PHRASES: Final = re.compile(
    r"\b(?:т[оае] же|те же|так же|т[еоа] сам[еоа]|ті самі|той самий|так само|такий самий|la fel|yang sama|tương tự)\b",
    re.IGNORECASE,
)
# How a question goes on. A word that is an article, a pronoun or a preposition in another listed language counts only
# with what follows it: "a" and "i" (Polish), "en" (Dutch), "et" (French), "ja" (Finnish).
_OPENS: Final = re.compile(
    r"[\W_]*(?:"
    r"(?:and|but|(?:what|how) about|und|aber|was ist mit|wie (?:ist|wäre) (?:das|es) (?:bei|mit|für|in|wenn)|gilt das|"
    r"et (?:pour|si|qu\w*|quand|comment|où|pourquoi|combien|dans|en|les?|la|chez|aux?|avec|sans|est|ce|d[eu]s?|à)|"
    r"mais|qu['\u2019]en est|y(?! (?:t|h|kh))|pero|qué (?:pasa con|hay de)|e|mas|"
    r"en (?:wat|hoe\w*|als|voor|bij|wanneer|waar\w*|geldt|is|kan|mag|moet|wie|welke?|dan|ook)|maar|hoe zit|"
    r"[ai] (?:co|jak\w*|czy|kiedy|ile|dla|jeśli|gdy|gdzie|dlaczego|pro|kdy\w*|kolik|když|proč|kde|platí)|co z|"
    r"а|и|і|й|но|але|что насчёт|як щодо|"
    r"och|og|men|hur (?:är|blir) det|hva[d]? med|ja (?:entä|mi\w+|kuinka|jos|onko|sama\w*)|entä|és|și|şi|iar|"
    r"dar (?:ce|cum|dacă|pentru|când)|"
    r"ve(?! (?:kter|kdo|v|f|sm|sk|st))|peki|peki ya|dan|lalu|bagaimana dengan|còn|thế còn|vậy|và|"
    r"na (?:je|vipi|kwa)|(?:je,? )?vipi kuhusu|"
    r"και|κι|τι γίνεται|و|وماذا|وهل|وكم|وما|وكيف|ومتى|ولماذا|وأين|ماذا عن|پس|ומה|והאם|ואיך|וכמה|ומתי|ולמה|ואיפה|"
    r"מה (?:לגבי|עם)|और|तो|그리고|그럼|그러면|그렇다면|மற்றும்|மேலும்)(?=[\s,]|l['\u2019])"
    r"|et l['\u2019]|(?:では|じゃあ|また|还有|至于|แล้ว|และ))",
    re.IGNORECASE,
)


def leans_on_before(asked: str) -> bool:
    """Return whether a question begins as one does that goes on, or refers to something."""
    return _OPENS.match(unicodedata.normalize("NFC", asked)) is not None or refers(asked)


def refers(asked: str) -> bool:
    """Return whether words of a text stand for something said before, or for the same again."""
    asked = unicodedata.normalize("NFC", asked)
    words = {word.casefold() for word in _WORD.findall(asked)}
    return not _WORDS.isdisjoint(words) or any(part in asked for part in _PARTS) or _PHRASES.search(asked) is not None
