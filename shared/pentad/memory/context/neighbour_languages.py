# ruff: noqa: RUF001 - these are words of many scripts
"""Common words of languages whose referring words are not listed, and which a listed one could be taken for.

Croatian, say, shares a third of its short words with Czech. A language that shares few needs no list.
"""

from typing import Final

_WORDS: Final = {
    "hr": "a ako ali bez bi bilo biti da dana do gdje i ili iz ja je jedan još kad kada kako kao ko koja koje kojem "
    "koji kojih koju koliko kupiti li mogu mora moraju može na nakon našim ne nego nema nije o od ova ovo po "
    "pri prije sa sam samo se si smo su sve tko to treba trebaju u uz već za zašto će šta što",
    "sr": "а ако али без би бити већ где да дана до за зашто и из или кад када како као ко колико која које који "
    "којих коју ли могу може мора морају на након нашим не него нема није о ова ово од по пре при са сам само "
    "све се смо су то треба у уз шта што ја је један још ће",
    "sl": "a ali bi biti brez da dni do eden in isto iz je jih kaj kako katera katere kateri kdaj kdo ki kje koliko "
    "kot lahko med mora morajo moram na naj nam ne ni o ob od pa po pod pred pri s se sem si so sta tudi v ve "
    "vse z za zakaj če še že",
    "sk": "a aby ako aká aké aký ale alebo bez by byť dní do ho i ich im ja je jeho kde kedy keď koľko kto ktorá "
    "ktoré ktorí ktorý ktorých lebo majú musia musí má môže môžu na nie o od po pod podľa pre pred prečo pri "
    "s sa si so sú treba tým už v vo však z za zo či čo že",
    "mk": "а ако без би во ги го да денови до е за зошто и или им има исто их каде како кога кое кои колку кој која "
    "ли може мора му на не нема нив од по пред при са само се со според сѐ тоа треба што ја ќе",
    "be": "а або ад бы быць ва гэта дзе дзён для дні до з за каб калі кожны кто мне можа можна на не ні па пасля "
    "перад пра праз с сколькі скоро ся та так такі трэба ты у ужо хто ці чаму што як якая якое які якія і ў",
    "bg": "а ако без беше би бъде в вече все във ги го да дали дни до защо и или им има как какви какво кога кого "
    "кое кои които кой който колко коя която къде ли ме мога може му на над нас не ни някой няма от още по "
    "под преди при с са сам само се си след със същата същия същите същото също такъв такава трябва тук че ще",
    "ga": "a ach ag agus an ar as atá bhfuil cad cathain chomh conas cá cé cén de do don faoi féidir gach go gur i "
    "iad in is le leis ma mo má mé na nach ní nó roimh seo siad sin sé sí tar thar tá tú uair um é éis ó",
    "gd": "a ag agus air am an ann anns as bha bheil bho bhon carson cha chan cho chuir ciamar cuin cò de dhan do "
    "dè e fada far gu gus i iad is le leis ma mar mi na nach no nuair o on seo sin sinn tha thu às",
    "cy": "a ac am ar at beth ble bod bydd byddwn cael ceir chi dros dw dydy ei eich ein er eu fel felly fydd gael "
    "gall gan gyda hi hwn hyd hynny i mae maen maent mewn na neu ni o oedd oes os pa pam pan pob pryd pwy "
    "roedd sawl sut sy sydd un wedi wrth y ydy ydyn yn yna yr",
    "gl": "a ao aos as ata cal cales cando canta cantas canto cantos como con da das de debe deben do dos e en "
    "entre esta estar este está fóra hai iso isto lle mais me mesmo máis na nas no non nos o onde os ou para "
    "pero pode poden pola polo por porque que quen se sen ser seu sobre son súa ten teñen un unha xa á é",
    "ca": "a abans al als amb aquest com d de del dels des després el els em en entre es està fins ha han hi i ja l "
    "la les li llavors lloc m mentre molt més no o on pel pels per perquè però poden pot qual quals quan "
    "quant quantes quants que qui què s sense ser seu si sobre són també tenen té un una va és",
    "oc": "a al als amb aquò as cal car coma d dab de del dels dins e el en entre es fins i ja l la las li lo los "
    "mai mas ni non o ont pas per perqué podon pòt qual quals quand quant que qui qué s sens ser son sus "
    "tanben ten un una èra",
    "af": "aan al as baie by daar dan dat deur die dis dié een ek elke en gaan gee geen het hoe hoeveel hom hul "
    "hulle hê in is jou jy kan kry maar mag meer met moet my na nadat nie om ons ook oor op sal se sy te tot "
    "twee uit van vir voor voordat waar waarom wanneer wat watter wees wie word",
    "et": "aga alates ei enne et ja ju juba ka kas keda kelle kes kui kuidas kuni kus kõik ma meie mida miks millal "
    "milline millised mis mitu mul nad need neid nende ning oli oma on peab peale pärast saab sama seda see "
    "selle siis ta tema välja või võib üks üle",
    "is": "af allt að ef eftir ekki en er eru eða frá fyrir fá geta getur hafa hann hefur hvar hvað hvaða hve "
    "hvenær hver hvernig hvers hversu hvort já marga margir með meðan mikið má nú og okkar sem sig sinn sé "
    "sér til um upp var vera verið verður við yfir á án áður ég í ó þar þarf það þegar þeir þess því þá þú",
    "lb": "a all an as ass awer bei bis dat dee deem den der däerf déi dës e eis en eng et fir firwat gëtt hat hien "
    "huet hunn kann kënnen laang mat mir muss méi nach net no oder op ouni se si sinn um un vir vun wa wat "
    "wien wou wéi wéilech wéini wéivill zu",
    "ms": "ada adakah akan anda apabila apakah atas atau bagaimanakah berapakah bila bilakah boleh cuma dalam dan "
    "dapat dari daripada dengan di dia hendaklah hingga ia ialah ini itu jika juga kah ke kepada kerana "
    "ketika lagi mana manakah mereka mesti oleh pada perlu sahaja sama sebelum selepas siapakah supaya telah "
    "tidak untuk yang",
    "la": "a ab ac ad an at atque aut autem cum cur de dum e ea eam eius enim eo est et etiam eum ex haec hic hoc "
    "id in inter ita ne nec non ob per post pro qua quae quam quamdiu quando qui quibus quid quis quo quod "
    "quot sed si sine sub sunt tamen ubi ut vel",
    "ast": "a al colos como con cuando cuántu de del el en ensin esi esta esti la les los mesmu na nel nin nun o pa "
    "pal pela pelo per por puede que quién qué se ser si sobre son tamién un una unu y ya ye",
    "so": "aan ah ama ayaa ayuu ee in inta iyo ka ku la laakiin laga lagu leh loo maxay mid oo si sidee u ugu uu "
    "waa waxa waxaa waxay yahay",
}
NEIGHBOURS: Final = {code: frozenset(words.split()) for code, words in _WORDS.items()}
"""By a language's code its commonest words, with those that its questions begin with."""
