"""Tables of phrases by which talk is told from statements. Data: `pentad.memory.facts.gate.junk` says what each is for.

They know English best, and the commonest forms of German, French and Spanish.
"""

import re
from typing import Final

_FLAGS: Final = re.IGNORECASE

TAG_QUESTION: Final = re.compile(
    r",?\s*(?:right|ok(?:ay)?|remember|you know|see|got it|yes|no|gell?|oder|nicht wahr|hein|non|verdad)\s*\?+\s*$",
    _FLAGS,
)
ASKS: Final = re.compile(
    r"^\W*(?:and |so |but |well,? |ok(?:ay)?,? |hey,? |also,? )*(?:what|how|why|when|where|which|who|whose|do|"
    r"does|did|is|are|was|were|can|could|would|should|will|have|has|am|shall|wer|wie|warum|wann|wo|welche[rsn]?|"
    r"kannst|k[\u00f6o]nntest|qui|quoi|comment|pourquoi|quand|o[\u00f9u]|est-ce|peux|pouvez|qu[\u00e9e]|"
    r"c[\u00f3o]mo|cu[\u00e1a]ndo|d[\u00f3o]nde|puedes)\b",
    _FLAGS,
)
LASTING: Final = re.compile(
    r"\b(?:(?:don't|do not|never) [^.!?]{1,60}\b(?:ever|with me|to me|any ?more|again)\b|from now on|"
    r"in (?:the )?future|going forward|every time (?:you|i)|whenever (?:you|i)|each time (?:you|i)|by default|"
    r"as a rule|remember (?:that|this|:)|please (?:remember|always|never)|keep in mind|note that i|call me|"
    r"address me|refer to me|my preference|i(?:'d| would)? (?:rather|prefer)|(?:always|never|only|don't ever|"
    r"stop) (?:use|using|answer\w*|writ\w+|repl\w+|respond\w*|giv(?:e|ing) me|includ\w+|add\w*|send\w*|show\w*|"
    r"ask\w*|call\w*|start\w*|end\w*|format\w*|speak\w*|talk\w*|explain\w*|keep (?:it|answers|replies|responses)|"
    r"be (?:brief|concise|short|formal|informal|polite|direct|honest|blunt)|quote|cit\w+|mention\w*|round|book|"
    r"schedule|suggest\w*|recommend\w*|translat\w+|apologi\w+)\b|ab jetzt|k[\u00fcu]nftig|in zukunft|merk dir|"
    r"nenn mich|grunds[\u00e4a]tzlich|immer (?:auf|mit|in|kurz|antwort\w*)|d[\u00e9e]sormais|[\u00e0a] l'avenir|"
    r"appelle-moi|r[\u00e9e]ponds? toujours|de ahora en adelante|ll[\u00e1a]mame|recuerda que|responde siempre)\b",
    _FLAGS,
)
REQUEST: Final = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|hi|hey|hello|so|well|and|now|then|also|next|thanks|great|first|today)[,.! ]+)*(?:(?:can|"
    r"could|would|will) you|please|pls|kindly|let's|let us|help|tell|show|give|list|find|search|look up|write|"
    r"draft|create|make|generate|build|compute|calculate|convert|translate|summari[sz]e|explain|describe|compare|"
    r"check|book|order|send|schedule|cancel|add|remove|delete|update|change|set|open|read|fix|debug|run|try|think|"
    r"suggest|recommend|rewrite|proofread|remind me|i(?:'d| would) (?:like|love) (?:you )?to (?:know|see|get|have|"
    r"understand|hear|ask|book|order|buy|return|cancel|change|schedule|make|find)|i (?:need|want|"
    r"wish) (?:you )?(?:to|a|an|some|help|the|your|more|this|that|it)\b|i (?:have|'ve got) to (?!avoid|take|wear|"
    r"use|eat|inject|sleep|sit)|i would (?:need|want|like)\b|i(?:'m| am) (?:looking (?:for|to|at)|trying|"
    r"wondering|asking|curious|calling|writing (?:to|about|because)|here (?:to|for|because)|having (?:trouble|"
    r"issues|problems?)|searching|interested in (?:hearing|knowing|your))|i was wondering|i have (?:a|another|"
    r"one more|some) (?:quick )?(?:question|request|problem|issue)|my (?:next |first |second |last |"
    r"other )?(?:question|request|problem|issue|goal here|task)|kannst du|bitte|ich habe (?:eine?|noch|"
    r"ein) (?:\w+ )?(?:frage|problem)|tengo (?:un|una) (?:problema|pregunta|duda)|j'ai (?:un|une) (?:question|"
    r"probl\u00e8me|souci)|k[\u00f6o]nntest|ich (?:brauche|m[\u00f6o]chte|will|suche|h[\u00e4a]tte)\b|zeig|gib|"
    r"erkl[\u00e4a]r|schreib|peux-tu|pouvez-vous|s'il|je (?:voudrais|cherche|veux|besoin)|montre|donne|puedes|"
    r"por favor|necesito|quiero|quisiera|busco|mu[\u00e9e]strame|dame)\b",
    _FLAGS,
)
GUESS: Final = re.compile(
    r"\b(?:if i|if we|if my|what if|suppose|supposing|assum(?:e|ing)|hypothetical\w*|let's say|say i(?:'m| am)|"
    r"as if|i wish|maybe|perhaps|possibly|probably|might|not (?:so |really |quite |entirely )?sure|unsure|no idea|"
    r"i guess|could be|(?:i|we|my \w+) would (?!like|love|prefer|rather)|i'd say|i doubt|can't decide|undecided|"
    r"toying with|for (?:example|instance)|e\.g\.|as an example|wenn ich|falls ich|vielleicht|angenommen|"
    r"eventuell|wahrscheinlich|si j(?:e|')|peut-[\u00eae]tre|supposons|si yo|quiz[\u00e1a]s?|tal vez|supongamos)\b",
    _FLAGS,
)
JOKE: Final = re.compile(
    r"\b(?:just kidding|only kidding|jk|j/k|just joking|only joking|kidding aside|i'm joking|/s|sarcasm|as a joke|"
    r"lol jk|war nur spa(?:ss|\u00df)|scherz|je plaisante|es broma)\b|\u0020/s\s*$",
    _FLAGS,
)
TAKEN_BACK: Final = re.compile(
    r"\b(?:scratch that|ignore (?:that|what i)|forget (?:that|it|what i|i said)|never ?mind|disregard (?:that|what)|"
    r"(?:wait|oh|sorry|hmm|um|oops)[,. ]+(?:no|actually|wrong|that's (?:not|wrong))|that's not (?:right|true)|"
    r"don't (?:save|store|remember|note|keep) (?:that|this|it|any)|off the record|between (?:you and me|us)|"
    r"vergiss (?:das|es)|merk dir das nicht|oublie [\u00e7c]a|olv[\u00edi]dalo)\b",
    _FLAGS,
)
PASSING: Final = re.compile(
    r"\b(?:right now|at the moment|at this moment|just now|this (?:very )?(?:minute|second|morning|afternoon|"
    r"evening)|tonight|today|in a (?:minute|hurry|meeting|sec|bit|few)|on my way|running late|brb|be right back|"
    r"gotta (?:go|run)|got to (?:go|run)|talk (?:to you )?(?:soon|later)|see (?:you|ya)|i(?:'m| am) off to|"
    r"i have (?:a|an|the) (?:(?:bad|slight|terrible|quick|short) )?(?:meeting|call|appointment|headache|"
    r"cold|fever|flu|hangover|stomach ?ache|sore throat|cough)\b(?! (?:every|each))|gerade|"
    r"heute|im moment|gleich|en ce moment|aujourd'hui|ce (?:matin|soir)|ahora mismo|hoy)\b",
    _FLAGS,
)
MOOD: Final = re.compile(
    r"^\W*(?:(?:yes|yeah|yep|no|nope|oh|ok(?:ay)?|wow|ah|well|haha|hey|thanks|great|sorry|honestly|actually|and|"
    r"but|so)[,.! ]+)*(?:i(?:'m| am| feel| was| felt|'ve been|'m feeling)|we(?:'re| are| were)|my \w+(?:'s| is|"
    r" are)|ich bin|je suis|estoy|mir ist|j'ai|tengo)\s*(?:(?:so|really|very|a bit|a little|quite|pretty|just|"
    r"still|kind of|kinda|totally|super|too|not|absolutely|all|sehr|tr[\u00e8e]s|muy)\s+)*(?:tired|exhausted|"
    r"hungry|bored|busy|swamped|sick|happy|glad|sad|excited|thrilled|sorry|proud|fine|good|great|ok(?:ay)?|well|"
    r"alright|lost|confused|stuck|sure|afraid|curious|ready|done|back|here|late|grateful|thankful|lucky|stressed|"
    r"nervous|worried|upset|angry|annoyed|surprised|impressed|amazed|blessed|hopeful|optimistic|all ears|browsing|"
    r"looking around|checking|saying|testing|being|not a robot|with you|at (?:home|work|the \w+) now|on it|"
    r"listening|waiting|thinking|wondering|m[\u00fcu]de|gut|froh|fatigu[\u00e9e]e?|cansad[oa]|langweilig|kalt|"
    r"warm|schlecht|faim|soif|froid|chaud|sommeil|peur|mal|hambre|sed|sue\u00f1o|fr\u00edo|bien)\b(?!\s+(?:at|"
    r"in)\s)",
    _FLAGS,
)
REACTION: Final = re.compile(
    r"^\W*(?:(?:wow|oh|ah|haha|yeah|yes|hey|aw+|thanks|ok(?:ay)?|well|nice|great|"
    r"cool)[,.! ]+)*(?:\w+[,!] )?(?:i(?:'m| am)? (?:really |totally |absolutely |completely |definitely |so |"
    r"also |just |do |can |can't |could )*(?:love (?:that|the (?:\w+ ){1,4}(?:it|that|this|you)\b|this|it|how|"
    r"your|all (?:the|your|this)|the (?:way|idea|colou?rs?|details?|vibe|energy|theme)|to hear|hearing)|"
    r"like (?:that|this|it|how|your|the (?:way|idea|sound))|agree|disagree|understand|see|get (?:it|that|what|"
    r"you)|hear you|know (?:what|how|that|right|you|the feeling)|hope|bet|believe (?:you|in you|that)|think|"
    r"suppose|appreciate|admire|mean|imagine|tell|wish you|promise|swear|relate|remember (?:when|that|you)|recall|"
    r"thank|apologi[sz]e|got it|will (?:try|do|check|look|let|think|keep|see|take|be|get|definitely|give|"
    r"make sure)|'ll (?:try|do|check|look|let|think|keep|see|take|be|get|give|definitely)|can't wait|"
    r"don't (?:know|think|understand|get|see|mind|blame|follow|remember)|didn't (?:know|get|understand|mean|say|"
    r"ask)|noticed|saw (?:that|your)|heard|read (?:that|about|your|somewhere)|feel (?:you|that|like|the same))\b)",
    _FLAGS,
)
TALK: Final = re.compile(
    r"\b(?:(?:about|going|want(?:ed)?) to ask|(?:this|our|the|your|my|last|previous|earlier|above|first|"
    r"next) (?:conversation|chat|session|question|answer|reply|response|message|prompt|request|summary|output|"
    r"suggestion|explanation|example|point|idea)s?|as i (?:said|mentioned|asked)|(?:you|i) (?:just |"
    r"already )?(?:said|asked|told|mentioned|wrote|answered|replied|meant|explained|suggested)|thank(?:s| you)|"
    r"you're (?:welcome|right|wrong|so|such|the best|awesome|amazing|great|doing)|that(?:'s| is) (?:all|it|great|"
    r"good|nice|cool|awesome|amazing|right|correct|wrong|helpful|perfect|fine|so|what i|not what|interesting|"
    r"funny|true|wonderful|fantastic|a (?:great|good|nice)))\b",
    _FLAGS,
)
ABOUT_TALK: Final = re.compile(
    r"\b(?:the |this )?(?:user|person|they|customer|speaker)\b[^.]{0,20}\b(?:ask(?:s|ed|ing)?|want(?:s|"
    r"ed)? (?:to know|the assistant|help|information|an? (?:answer|explanation|summary))|inquir\w+|request(?:s|ed|"
    r"ing)?|thank(?:s|ed|ing)?|greet(?:s|ed|ing)?|said hello|is (?:talking|chatting|testing|curious|wondering|"
    r"asking|seeking|looking for (?:help|information))|agree[sd]?|confirm(?:s|ed)|acknowledg\w+|express(?:es|"
    r"ed) (?:interest|gratitude|thanks|appreciation|curiosity)|seems?|appears?|needs? (?:help|assistance|"
    r"information|to know))\b|\b(?:assistant|conversation|chat session|chatbot|ai model|language model|"
    r"system prompt|tool call)\b",
    _FLAGS,
)
INSTRUCTION: Final = re.compile(
    r"\b(?:system prompt|(?:ignore|disregard|forget|override|bypass) (?:all |any |the |your |previous |prior |"
    r"above |safety )*(?:instructions?|rules?|guidelines?|policies|policy|prompts?|guardrails?)|you are now|"
    r"developer mode|jailbreak|do anything now|admin(?:istrator)? (?:mode|rights|access|privileges)|"
    r"without (?:asking|approval|confirmation)|(?:is|am|i'm|are) (?:an? )?(?:admin|administrator|root|operator|"
    r"developer of|authori[sz]ed|verified|allowed to (?:see|access|approve|bypass))|pre-?approved?|has (?:admin|"
    r"full|root) (?:access|rights))\b",
    _FLAGS,
)
FIRST_PERSON: Final = re.compile(
    r"\b(?:i|i'm|im|i've|i'd|i'll|my|mine|me|myself|we|we're|we've|our|ours|us|ich|mein\w{0,2}|mir|mich|wir|"
    r"unser\w{0,2}|uns|je|moi|mon|ma|mes|nous|notre|nos|yo|m\u00edo?|m\u00eda|mi|mis|nosotr[oa]s|nuestr[oa]s?|eu|"
    r"meu|minha|io|mio|mia|noi|ik|mijn|wij|jag|min|mitt|ja|m\u00f3j|moja)\b|\bj'|\bm'appelle\b|\b(?:vivo|trabajo|"
    r"soy|tengo|prefiero|hei(?:ss|\u00df)e)\b",
    _FLAGS,
)
CORRECTION: Final = re.compile(
    r"^\W*(?:(?:sorry|oh|ah|hm+|well|but|hey|oops)[,.! ]+)*(?:no\b|nope|nah|actually|correction|wrong|"
    r"not (?:quite|exactly|really|any ?more)|it's not|it is not|that's not|that is not|i meant|i mean(?:t)?|"
    r"rather|nein|doch|falsch|stimmt nicht|eigentlich|non\b|en fait|pas tout|en realidad|no, )|\b(?:instead of|"
    r"rather than|no longer|not any ?more|used to|it's [^.]{1,60}, not|is [^.]{1,60}, not|sondern|nicht mehr|"
    r"plus du tout|ya no)\b",
    _FLAGS,
)
FOREIGN: Final = re.compile(
    r"\b(?:ich|mein\w{0,2}|und|der|die|das|ist|nicht|wir|unser\w{0,2}|bin|habe|wohne|je|mon|ma|mes|est|les|une|"
    r"des|suis|nous|avec|dans|el|los|las|una|mi|mis|soy|vivo|tengo|est\u00e1|con|por|yo|io|sono|mia|mio|della|che|"
    r"ik|het|een|mijn|ben|jag|och|\u00e4r|min|eu|meu|minha|moro|nie|jestem|mam|w|z|na|si\u0119|jest|mieszkam|"
    r"pracuj\u0119|lubi\u0119|jsem|bydl\u00edm|m\u00e1m|pracuji|bir|ve|i\u00e7in|benim|ad\u0131m|\w{2,}[\u0131iu\u00fc]yorum|"
    r"vagyok|lakom|dolgozom|egy|\u00e9s|locuiesc|sunt|lucrez|\u00een|\u0219i|bor|heter|hedder|er|og|asun|olen|min\u00e4|saya|"
    r"tinggal|t\u00f4i|l\u00e0|\u1edf|\u017eivim|radim|ako|nakatira|ninaishi|visc|woon|werk|vivo|trabalho|abito|lavoro)\b|"
    r"\b(?:j|l|d|qu|m)'\w",
    _FLAGS,
)
ENGLISH: Final = re.compile(
    r"\b(?:i|i'm|i've|my|we|our|the|is|are|was|and|to|of|it|you|your|that|this|have|has|for|with|not|at)\b", _FLAGS
)
LEAD: Final = re.compile(
    r"^\W*(?:(?:[\w']{2,12}(?: [\w']{2,12})?(?=:)|wow|oh|ah|haha|yeah|yes|yep|no|nope|nah|hey|hi|hello|thanks|"
    r"sure|ok(?:ay)?|well|so|and|but|also|plus|by the way|btw|actually|honestly|fyi|unfortunately|luckily|"
    r"thankfully|sadly|anyway|because|since|as you know|you know|just so you know|for context|for the record|"
    r"for what it's worth|remember(?: that)?|please (?:note|remember)(?: that)?|keep in mind(?: that)?|"
    r"note(?: that)?|to be clear|guess what|(?:hey|hi|thanks),? \w+|\w+,)\b[\s,.!:\u2013-]*)*",
    _FLAGS,
)
SPEAKER: Final = re.compile(
    r"^(?:(?:just |only |ever )?(?:in|on|at|since|for|last|next|this|every|after|before|when|during|as|from|by|"
    r"until|right now|currently|recently|lately|these days|yesterday|tomorrow|today|nowadays|now|once|each|two|"
    r"three|a (?:few|couple)|\d+)\b[^.;!?]{0,60}?,?\s+)?(?:i|i'm|im|i've|i'd|my|mine|we|we're|we've|our|call me|"
    r"address me)\b",
    _FLAGS,
)
OTHER_SIDE: Final = re.compile(r"\b(?:you|your|you're|you've|you'd|you'll|yours|yourself|ya|u)\b", _FLAGS)
OTHER_SIDE_IDIOMS: Final = re.compile(
    r",? \(?(?:in case|if|so that|just so|so) you\b.*$|\b(?:as you know|you know|you see|let you know|tell you|"
    r"told you|you (?:can|may|could|should|must|need to) (?:call|reach|email|use)|you won't believe it|see you|"
    r"thank you|mind you|so you know)\b",
    _FLAGS,
)
IDIOM: Final = re.compile(
    r"\b(?:our (?:call|screen|connection|internet)|my (?:goodness|god|gosh|word|bad|apologies|mistake|pleasure|"
    r"fault|condolences|congratulations|thanks|guess|point|heart goes|two cents|turn|case|day is|eyes?|screen|"
    r"call|connection|internet|wi-?fi|browser|package|parcel|delivery|battery|mic(?:rophone)?|camera|advice|take|"
    r"mind is)|our (?:planet|world|society|country|future|generation|actions|hearts?|species|kids are|"
    r"children are|time|lives)|each other|i spy|i,? for one|i rest my|i swear|i keep (?:getting|seeing|hearing|"
    r"losing)|one another|we (?:should|must|need to|can) (?:all )?|we all\b)",
    _FLAGS,
)
TASK: Final = re.compile(
    r"\b(?:tickets? (?:#|no\.? ?)?\d+|exceptions?|stack ?traces?|traceback|"
    r"click\w*|scroll\w*|restart\w*|refresh\w*|reload\w*|upload\w*|attach\w*|paste[ds]?|pasting|log(?:ged|"
    r"ging)? (?:in|out)|submit\w*|error|blank (?:page|screen)|screenshot|nothing happened|(?:does|did|is|it|"
    r"still)(?:n't| not) (?:work\w*|load\w*|open\w*|start\w*)|the (?:first|second|third|last|next|other|previous|"
    r"wrong|right|same|blue|red|new|old)? ?(?:paragraph|button|page|file|option|link|screen|image|picture|chart|"
    r"version|draft|one|step|table|column|line|sentence|title|form|box|tab|field|code|function|test|output|result|"
    r"list|section|slide))\b",
    _FLAGS,
)
THANKS: Final = re.compile(r"^\W*(?:danke|vielen dank|merci|gracias|grazie|obrigad[oa]|tack|bedankt)\b", _FLAGS)
EMPTY_CLAIM: Final = re.compile(
    r"\b(?:i|we)(?:'m| am|'re| are|'ve| have|'ll| will|'d| would| had| was| were| got| can|"
    r" could)?\s+(?:(?:always|never|really|just|still|definitely|also|so|totally|already|only|all|both|even|not|"
    r"truly|sure|do|did|have|been|be)\s+)*(?:(?:gonna|going to (?:keep|try|be|do|make|get|take|give|show|never|"
    r"always)|won't|(?:can't|cannot|couldn't|can|could)(?!'| (?:eat|drink|have|take|use|drive|work|walk|hear|read|"
    r"speak|swim|tolerate|digest|lift|type|stand|travel|fly))|will|should|must|gotta|got to|try|tried|trying|"
    r"(?:keep|kept) (?:going|on|it|up|striving|pushing|working|trying|doing|using|moving|at|busy|that|this|in)|"
    r"want|wanted|hope|hoped|hoping|wish|need|needed|got this|got you|give up|gave up|made it|did it|felt|feel|"
    r"feeling|seem\w*|think|thought|guess|know|knew|realized?|learned (?:that|how|to|a lot|so much|from)|"
    r"found (?:it|that|out)|believe\w*|understand|understood|decided|figured|wonder\w*|see|saw (?:how|that)|"
    r"look(?:ing)? forward|appreciat\w+|care|mean|meant|said|told|asked|talked|chatted|spoke|agree|get it|"
    r"had (?:a|an|such|so) (?:\w+ )?(?:great|good|amazing|awesome|wonderful|fun|blast|feeling|moment|time|lot)|"
    r"happy|glad|proud|excited|grateful|thankful|sad|scared|nervous|worried|sorry|lucky|blessed|amazed|impressed|"
    r"inspired|motivated|determined|passionate|obsessed|sure|ready|here|there|there for|down|up for|in (?:love|"
    r"awe)|like a|a mix|a work|(?:always )?something|all about|stoked|pumped|thrilled|swamped|thinking|busy|tired|"
    r"happier|stronger|better|reminded|touched|moved by|honou?red|fascinated|curious|keen|open to|finally|"
    r"getting (?:there|better|used)|doing (?:great|good|well|ok|my best|fine|it|this|that)|been (?:there|through|"
    r"great|good|busy|tough|hard|wild|crazy|wanting|thinking)|love (?:being|seeing|having|how|the (?:way|idea|"
    r"self)|to see|to hear|watching|it|this|that|these|those|them|you)|like (?:it|this|that|how|to just|these|"
    r"those|them)|enjoy (?:it|this|that|every)|remember|imagine|bet|swear|promise|believe)\b|(?:both|all)\b)|"
    r"^(?:i|we) ?(?:did|do|have|haven't|hadn't|don't|didn't|was|am|were|are|will|can|can't|won't|'m|"
    r"'ve)(?: not)?(?: it| that| yet| too| already| so)*\W*$|^(?:i|we)(?:'ll| will)\b",
    _FLAGS,
)
NOT_ALONE: Final = re.compile(
    r"\bbeen (?:one|there|that|this)\b|^(?:he|she|they|it|that|this|these|those|there|here)\b|\b(?:this|these|"
    r"those|that) (?!week|month|year|summer|winter|spring|fall|autumn|morning|evening|weekend|monday|tuesday|"
    r"wednesday|thursday|friday|saturday|sunday|quarter|semester|time|way|is\b|was\b|are\b|the\b|i\b|we\b|my\b|"
    r"has\b)\w+|\bthe user(?:'s \w+| and others)?(?: \w+){1,2} (?:it|them|him|(?:her|so|that|this|one|these|"
    r"those)(?=\s*(?:[.,!?;]|$)))\b|\b(?:like|with|of|to|at|for) (?:this|that|these|those)\b(?=[.,!?;]|\s*$)|"
    r"\b(?:here|there|to)[.!]*$",
    _FLAGS,
)
VAGUE: Final = frozenset(
    (
        "yeah yes yep no nope oh ah wow haha btw ok okay well sure thing things stuff time times way ways lot lots "
        "bit great good nice fun amazing awesome cool wonderful beautiful lovely dream dreams goal goals life love "
        "loved support supportive people everyone everything something anything someone moment moments memory "
        "memories change changes difference journey experience experiences special important hard tough easy best "
        "better world day days feeling feelings happy joy happiness hope heart help helping helped make made makes "
        "making keep keeps positive strong stronger strength success challenge challenges step steps progress work "
        "worth passion passionate inspiring inspired motivated motivation focus stay going went gone come came get "
        "got getting take took taking give gave giving find found see saw look looking feel felt know knew think "
        "thought want wanted need needed try tried trying start started always never ever still even much many more "
        "most so too all both each other others own new big little next last now then here there again back forward "
        "together around away up down out real true right chance idea reason part kind sort place point fact deal "
        "side mind sense impact huge few plans some possible leads trust rely another regular motivates striving "
        "strive dont totally definitely regularly far power energy friend friends family fam lives kid kids child "
        "children bond bonds roots rock future voice care caring share sharing shared bring brings brought remind "
        "reminds reminder show shows showing mean means meant seem seems perfect crazy wild incredible powerful "
        "rewarding exciting excited proud grateful glad thankful lucky blessed one two first what when who how why "
        "where which while because since though if but or yet than only"
    ).split()
)
BARE_ANSWER: Final = re.compile(
    r"^\W*(?:yes|yeah|yep|yup|no|nope|nah|sure|ok(?:ay)?|maybe|both|neither|either|none|all|fine|please|thanks?|"
    r"right|correct|exactly|absolutely|definitely|of course|not (?:yet|really|sure)|the (?:first|second|third|"
    r"last|other)(?: one)?|option \w|ja|nein|genau|oui|non|s\u00ed|claro|hm+|oh|wow|great|good|nice|cool|hi|hey|"
    r"hello|\W)\b[^\n]{0,24}$",
    _FLAGS,
)
WORKED: Final = re.compile(
    r"\b(?:thanks|thank you|perfect|exactly|that (?:worked|works|helped|did it|fixed)|works now|worked (?:great|"
    r"well)|great|awesome|love (?:it|this|that)|just what i|much better|like (?:this|that)|danke|super|genau|"
    r"merci|parfait|gracias|perfecto)\b",
    _FLAGS,
)
NOT_WORKED: Final = re.compile(
    r"\b(?:no|not|didn't|doesn't|don't|wrong|but|still|unfortunately|nein|nicht|leider|pas|sin embargo)\b", _FLAGS
)

PAST: Final = re.compile(
    r"^(?:i|we)(?:'ve| have)? (?:(?:just|already|also|once|recently|finally|even|then|again|still|totally|"
    r"almost)\s+)*(?P<verb>[a-z]{2,}ed|forgot|read|ran|went|took|made|put|came|sent|wrote|saw|got|gave|found|left|"
    r"bought|ate|drank|slept|sat|heard|said|told|paid|spent|met|broke|fell|built|wore|flew|drove|rode|swam|sang|"
    r"won|cut|hit|let|set|lost|sold|quit|grew|became|began|taught|caught|chose|felt|kept|held|brought|thought|"
    r"done|been|gone|seen|taken|given|written|eaten|driven)\b",
    _FLAGS,
)
LIFE: Final = frozenset(
    (
        "moved relocated married divorced joined quit lost bought sold adopted graduated started finished visited "
        "won broke published launched changed switched signed founded retired met grew studied worked lived built "
        "became applied enrolled passed celebrated donated volunteered painted baked renovated inherited immigrated "
        "emigrated learned trained completed opened hired left engaged separated got been taught planted acquired "
        "developed created stopped participated attended mentored injured"
    ).split()
)
TIME: Final = re.compile(
    r"\b(?:yesterday|ago|last (?:week|weekend|month|year|summer|winter|spring|fall|autumn|night|fri\w*|sat\w*|"
    r"sun\w*|mon\w*|tue\w*|wed\w*|thu\w*)|this (?:week|weekend|month|year|summer|spring|winter|autumn)|"
    r"in (?:january|february|march|april|may|june|july|august|september|october|november|december|spring|summer|"
    r"autumn|fall|winter|(?:19|20)\d\d)|since|for (?:\w+ )?(?:years|months|weeks)|(?:19|20)\d\d|over (?:easter|"
    r"christmas|the (?:weekend|holidays))|on (?:mon|tues|wednes|thurs|fri|satur|sun)days?|recently|every)\b",
    _FLAGS,
)
CLAUSE_END: Final = re.compile(
    r"[;:!?\n\u2013\u2014]|[.,](?!\d)|\b(?:and|but|though|although|because|while|whereas|so|yet|however|unless|"
    r"except|aber|sondern|und|weil|obwohl|mais|et|pero|y)\b",
    _FLAGS,
)
_PEOPLE: Final = (
    r"wife|husband|spouse|partner|fianc\u00e9e?|girlfriend|boyfriend|ex|sons?|daughters?|kids?|child(?:ren)?|baby|"
    r"babies|twins?|mother(?! tongue)|mom|mum|father|dad|parents?|brothers?|sisters?|siblings?|grand(?:mother|father|"
    r"ma|pa|parents?|sons?|daughters?|child(?:ren)?)|uncles?|aunts?|cousins?|nieces?|nephews?|(?:step|half-?)(?:mother|"
    r"father|brother|sister|son|daughter|dad|mom|mum)|in-laws?|friends?|mates?|roommates?|flatmates?|neighbou?rs?|"
    r"colleagues?|co-?workers?|boss|manager|landlord|teachers?|students?|clients?|customers?|patients?|"
    r"dogs?|cats?|pets?|puppy|kitten|horses?|rabbits?|parrots?|characters?|protagonists?|hero(?:ine)?|avatar"
)
PERSON: Final = re.compile(rf"\b(?:{_PEOPLE}|famil(?:y|ies)|relatives?|animals?|people|persons?)\b", _FLAGS)
OF_ANOTHER: Final = re.compile(
    rf"^\W*(?:my|our)\s+(?:\w+\s+){{0,2}}?(?:{_PEOPLE})(?:-in-law)?(?:['\u2019]s)?\b(?!\s+tongue)", _FLAGS
)
TELLS: Final = re.compile(
    r"^[^.!?]{0,80}?\b(?:says?|said|thinks?|thought|claims?|claimed|believes?|jokes?|joked|tells|told|wrote|writes)\b",
    _FLAGS,
)
NAMED: Final = re.compile(
    rf"\b(?i:{_PEOPLE}|called|named|name(?:'s| is))(?:['\u2019]s name is)? (?P<name>[A-Z\u00c0-\u00de][\w'-]+)"
)
LEARNED_OF: Final = re.compile(
    rf"\b(?:that|know|knew|think|learn(?:ed|t)|heard|hear|found out|find out|noticed?|reali[sz]ed?|discovered|mean|see|"
    rf"saw|told me)\s+(?=(?:my|our)\s+(?:\w+\s+){{0,2}}?(?:{_PEOPLE})\b)",
    _FLAGS,
)
"""What comes before somebody of whom the user tells what they know."""
DESCRIBED: Final = re.compile(
    rf"(?<![\w'])(?:(?:an?|the|my|our|one|two|three|four|some|\d+)\s+(?:\w+\s+){{0,2}}?)?(?:{_PEOPLE}|girls?|boys?|man|"
    r"men|wom[ae]n|people|persons?|somebody|someone)\s+(?=(?:with|who|who's|whose|suffering|working|living)\b)",
    _FLAGS,
)
IS_ONE: Final = re.compile(
    r"\b(?:i'm|i am|i was|i've been|i have been|we are|we're|as|become|became|being)\s+(?:\w+\s+){0,2}$", _FLAGS
)
"""Whoever is described behind these is the user, or the user too: ``I am a teacher with a degree in physics``."""
OF_ME: Final = re.compile(r"\b(?:i|me|us|we|myself)\b", _FLAGS)
NOT_ONLY: Final = re.compile(r"\bnot (?:only|just|merely|simply|kidding|joking|lying)\b|n't (?:only|just)\b", _FLAGS)
_OPENING: Final = r"^\W*(?:(?:haha\w*|lol|oh|ok(?:ay)?|no|sorry|well|wait|actually|hm+|hey|um|oops)[,.! ]+)*"
# What a sentence ends with. An object that goes on is another one: ``Ignore it if the test fails``.
_STOP: Final = (
    r"\b(?!['\u2019]s)(?= *(?:(?:please|pls|now|ok(?:ay)?|then|again|all|too|thanks?|thank you|sorry|bitte|stp|lol|"
    r"haha\w*|por favor|about (?:that|it|this|me|all (?:that|this))|(?:in|from|to) (?:your|the) (?:memory|notes|"
    r"records?)|anywhere|with you|earlier|before|there|just now)[ ,]*)*"
    r"(?:[.!?;,:)\n\u2013\u2014\U0001f300-\U0001faff-]|$))"
)
RETRACTED: Final = re.compile(
    rf"{_OPENING}(?:(?:(?:i(?:'m| am| was)? )?(?:just|only) (?:kidding|joking|testing(?: you)?)|jk|kidding|"
    r"(?:i|we) (?:made (?:that|it|this|all (?:that|this)) up|lied|was (?:lying|joking))|(?:scratch|strike) that|"
    r"(?:(?:that|it)(?:'s| is| was) (?:wrong|not (?:true|right)|false)[,. ]+)?(?:please )?(?:ignore|disregard|"
    r"forget) it|(?:please )?(?:don't|do not) (?:save|store|remember|note|keep) (?:that|this|it)|"
    r"das war (?:nur )?(?:ein )?(?:scherz|spa(?:ss|\u00df)|gelogen)|vergiss (?:das|es)|merk dir das nicht|"
    rf"je plaisante|c'\u00e9tait une blague|oublie [\u00e7c]a|es broma|era (?:broma|mentira)|olv[\u00edi]dalo){_STOP}|"
    r"what i (?:just )?(?:said|told you|wrote) (?:is|was) (?:not (?:true|right|correct)|wrong|a (?:lie|joke)|false)\b|"
    r"(?:(?:that|it)(?:'s| is| was) (?:wrong|not (?:true|right)|false)[,. ]+)?(?:please )?(?:ignore|disregard|forget) "
    r"(?:that|what) i (?:just )?(?:said|told|wrote)\b|(?:scratch|strike) that (?:i|we|my)\b|"
    r"(?:i was )?(?:just|only) (?:kidding|joking) about\b)",
    _FLAGS,
)
LAUGH: Final = re.compile(r"\b(?:haha\w*|hehe\w*|lol|lmao|rofl)\b", _FLAGS)
