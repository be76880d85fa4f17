"""Templates of the PII set. [[maker]] is an entity, [[#filler]] plain text, ‹a|b› a choice.
Lists hold (half, language, family) -> templates; half "a" is for tuning, "b" for the judge."""

from collections import defaultdict

POS = defaultdict(list)      # (half, lang, family) -> [template]
NEG = defaultdict(list)
CTX = defaultdict(list)


def add(table, half, lang, family, text):
    for line in text.strip("\n").split("\n"):
        if line.strip():
            table[half, lang, family].append(line.strip().replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\"))


# ---------------------------------------------------------------- English prose

add(POS, "a", "en", "chat", """
‹Hi|Hello|Hey|Good morning|›, please ‹call|ring|text|WhatsApp› me on [[phone]] ‹tomorrow|after 5 pm|when you can|›.
My ‹new |alternate |office |›number is [[phone]]‹.|, save it.| btw|›
Can you ‹send|mail|forward› the ‹invoice|brochure|quotation|offer letter› to [[email]]?
‹Reach|Write to|Contact› ‹our team|us|me› at [[email]] or ‹call|dial› [[phone]].
Customer [[#name]] ‹says|told us› her Aadhaar is [[aadhaar]] ‹and|,› PAN [[pan]].
I have ‹linked|uploaded|shared› my PAN ‹card |›([[pan]]) ‹yesterday|already|with the form›.
‹Pay|Send|Transfer› ₹[[#int]] to [[upi]] ‹for the cab|for dinner|before Friday|›.
Our GSTIN is [[gstin]]‹; please mention it on the bill|, billing city [[#city]]|›.
NEFT details: A/c name [[#company]], IFSC [[ifsc]], bank [[#bank]].
My car [[vehicle]] ‹was towed|is parked at gate 2|needs service› ‹near [[#city]]|today|›.
The ‹driver's|rider's› licence number is [[dl]], ‹valid till [[#date]]|please verify|›.
Passport no. [[passport]] ‹issued at [[#city]]|expires next month|, visa applied›.
voter id [[voter]] ‹belongs to [[#name]]|not found in the roll|›
‹Charge|Please bill› my ‹Visa|card|credit card› [[card]], ‹expiry|exp› [[#mmyy]].
Please wire the deposit to IBAN [[iban]] ‹by Monday|, reference [[#small]]|›.
Employee SSN is [[ssn]] ‹per the W-2|as on file|›.
‹The scanner|Someone|A bot› at [[ip]] keeps hitting ‹the login page|our API|/wp-admin›.
‹Blocked|Banned|Allow› [[ipx]] ‹in the firewall|on the load balancer|›
‹I pasted the key|Use this token|our prod key is› [[secret]] ‹in the ticket, sorry|for staging|›
‹Missed call from|Voicemail from|Text from› [[phone]] at [[#time]].
For ‹complaints|refunds|bookings› ‹call|dial› [[tollfree]] ‹(9 am - 6 pm)|toll free|›.
Office: [[landline]], mobile: [[mobile]], mail [[email]]
‹Her|His|Their› ‹numbers|contacts› are [[mobile]] and [[phone]].
Wife's Aadhaar [[aadhaar]], mine [[aadhaar]], both ‹linked|pending›.
is [[email]] the right address? it bounced ‹twice|›
My old address ‹was|used to be› [[email]] but now I use [[email]].
Add [[#name]] <[[email]]> and [[email]] to the ‹thread|invite›.
‹Please|Kindly› update KYC: PAN [[pan]], Aadhaar [[aadhaar]], mobile [[mobile]].
""")
add(POS, "b", "en", "chat", """
yo ‹my cell's|ping me on|new sim:› [[phone]] ‹lol|👍|🙏|›
‹Kindly|Pls› ‹revert|respond› to [[email]] ‹at the earliest|asap›.
‹Urgent:|FYI|Update —› the ‹tenant|candidate|patient› left ‹a number|her contact›, [[phone]], ‹and wants a callback|for emergencies›.
Is Aadhaar mandatory? I gave [[aadhaar]] at the ‹bank|counter|hotel›.
UIDAI sent an OTP for [[aadhaar]] ‹but nothing reached me|twice›
My ‹income tax|ITR› login is my PAN, [[pan]]; ‹why is it locked|refund still pending›?
gpay ‹me|the guy› at [[upi]] ‹pls|whenever|›
QR isn't working, so try the VPA [[upi]] ‹or|/› [[upi]]
Raise the ‹tax invoice|credit note› against GST number [[gstin]], not [[gstin]].
Branch IFSC [[ifsc]] ‹(merged last year)|, [[#city]] main branch›
‹Stolen|Lost›: ‹scooter|Activa|white Swift› with plate [[vehicle]], last seen in [[#city]]
Toll charged twice on [[vehicle]] by FASTag.
RTO says DL [[dl]] ‹has expired|was suspended|is a duplicate›
‹Travelling|Flying› to ‹Doha|London|Tokyo› next week, passport [[passport]], name as printed [[#name]]
Check EPIC [[voter]] in the ‹[[#city]]|ward 12› electoral roll.
my card got declined: [[card]] cvv [[#cvv]]
Refund to the ‹Amex|RuPay|Mastercard› ending... actually full number [[card]].
Landlord wants rent on [[iban]] ‹from now on|, not the old account›.
Background check needs the social, it's [[ssn]].
ssh into [[ip]] ‹and restart nginx|, user ubuntu|›
‹ping|traceroute|curl› [[ipx]] ‹times out from my side|works›
‹oops committed|leaked in the logs:|rotate this now:› [[secret]]
Dial [[tollfree]] ‹ext. [[#small]]|and press 2› for ‹claims|roadside help›.
Front desk [[landline]] / night manager [[mobile]]
‹Embassy|Consulate› helpline: [[worldphone]]; from India [[phone]].
[[#name]] ([[phone]], [[email]]) ‹will join at [[#time]]|is the point of contact›
Forward this to [[email]]; cc [[email]], [[email]].
‹the courier boy|Swiggy rider|electrician› is on [[mobile]], ‹he's downstairs|tell him flat 402›
Nominee: [[#name]], Aadhaar no [[aadhaar]], phone no [[mobile]], UPI [[upi]].
Password for the ‹wifi|portal|VPN› is [[password]] ‹, don't share|›
""")

# ---------------------------------------------------------------- other languages

add(POS, "a", "hi", "prose", """
कृपया मुझे [[phone]] पर ‹कॉल|फ़ोन|व्हाट्सऐप› करें।
मेरा ‹मोबाइल|नया|घर का› नंबर [[phone]] है‹।|, सेव कर लीजिए।›
आधार संख्या [[aadhaar]] ‹दर्ज करें|सत्यापित हो गई है|अपडेट करनी है›।
मेरा आधार नंबर [[aadhaar]] और पैन [[pan]] है।
पैन कार्ड [[pan]] आयकर विभाग ने जारी किया।
‹भुगतान|पैसे› यूपीआई [[upi]] पर भेज दें, राशि ₹[[#int]]।
बिल में जीएसटी नंबर [[gstin]] लिखें।
खाते का आईएफएससी कोड [[ifsc]] है, शाखा [[#city]]।
गाड़ी नंबर [[vehicle]] ‹का चालान कटा|की सर्विस होनी है›।
ईमेल [[email]] पर रसीद भेजिए और [[phone]] पर सूचना दें।
मतदाता पहचान पत्र [[voter]] खो गया है।
पासपोर्ट नंबर [[passport]] की वैधता कब तक है?
""")
add(POS, "b", "hi", "prose", """
हेल्पलाइन [[tollfree]] या [[landline]] पर संपर्क करें
भैया, ‹दुकान का नंबर|ड्राइवर का नंबर› [[mobile]] लिख लो
पिताजी का आधार [[aadhaar]] ‹बैंक से लिंक नहीं है|गलत छपा है›, मोबाइल [[mobile]]
ड्राइविंग लाइसेंस [[dl]] ‹रिन्यू|नवीनीकरण› कराना है
‹शिकायतकर्ता|आवेदक› [[#name]], दूरभाष [[phone]], ई-मेल [[email]]
क्रेडिट कार्ड [[card]] से भुगतान असफल रहा
जीएसटीआईएन: [[gstin]] · पैन: [[pan]] · मोबाइल: [[phone]]
मेरी यूपीआई आईडी [[upi]] है, वहीं भेजना
यह नंबर [[phone]] बार-बार परेशान कर रहा है
विद्यार्थी का यूआईडी [[aadhaar]] तथा अभिभावक का फ़ोन [[phone]]
एपिक नंबर [[voter]] से नाम खोजें
मेरी बाइक [[vehicle]] चोरी हो गई, FIR दर्ज करें
""")
add(POS, "a", "hi-Latn", "prose", """
bhai mera number [[phone]] hai, ‹call kar lena|whatsapp kar do|save karlo›
‹mera|mummy ka|papa ka› aadhaar [[aadhaar]] hai, check karo
paise [[upi]] pe ‹bhej do|daal dena› yaar
PAN [[pan]] link nahi ho raha aadhaar [[aadhaar]] se
gaadi ka number [[vehicle]] hai, ‹challan dekho|parking me hai›
mail kar dena [[email]] par ‹aaj hi|kal tak|›
IFSC code [[ifsc]] daalo aur account verify karo
license no [[dl]] ka status kya hai
""")
add(POS, "b", "hi-Latn", "prose", """
arre [[phone]] pe try karo na, wo wala band hai
didi ka mobile [[mobile]] aur email [[email]] likh lo
gst no [[gstin]] bill pe chhapwa dena
aapka aadhar no. batao - [[aadhaar]] ‹ji|sahi hai?›
ye card [[card]] block kar do turant
voter card [[voter]] ka address galat hai
mujhe [[upi]] par 500 bhejo, ya fir [[mobile]] par gpay
passport ka no [[passport]] hai, tatkal me apply kiya
server [[ip]] down hai bhai, restart maaro
""")
add(POS, "a", "ta", "prose", """
என் ‹கைபேசி|தொலைபேசி|மொபைல்› எண் [[phone]].
ஆதார் எண் [[aadhaar]] ‹சரிபார்க்கப்பட்டது|இணைக்கவும்›.
[[phone]] என்ற எண்ணுக்கு ‹அழைக்கவும்|அழையுங்கள்›.
மின்னஞ்சல் [[email]] க்கு அனுப்பவும்.
பான் எண் [[pan]] தவறாக உள்ளது.
வண்டி எண் [[vehicle]] நிறுத்தப்பட்டுள்ளது.
பணத்தை [[upi]] க்கு அனுப்புங்கள்.
""")
add(POS, "b", "ta", "prose", """
அம்மாவின் ஆதார் [[aadhaar]], அவர் செல் [[mobile]]
வாக்காளர் அடையாள அட்டை [[voter]] தொலைந்துவிட்டது
புகாருக்கு [[landline]] அல்லது [[tollfree]] தொடர்பு கொள்ளவும்
ஜிஎஸ்டி எண் [[gstin]], ஐஎஃப்எஸ்சி [[ifsc]]
ஓட்டுநர் உரிமம் [[dl]] புதுப்பிக்க வேண்டும்
எங்கள் கடை ‹எண்|நம்பர்› [[phone]] ங்க, மெயில் [[email]]
கடவுச்சீட்டு எண் [[passport]]
""")
add(POS, "a", "bn", "prose", """
আমার ‹মোবাইল|ফোন› নম্বর [[phone]]।
আধার নম্বর [[aadhaar]] ‹যাচাই করুন|জমা দিয়েছি›।
[[phone]] নম্বরে ‹ফোন|যোগাযোগ› করুন।
ইমেল [[email]] এ পাঠান।
প্যান কার্ড [[pan]] হারিয়ে গেছে।
টাকা [[upi]] তে পাঠাবেন।
গাড়ির নম্বর [[vehicle]]।
""")
add(POS, "b", "bn", "prose", """
দাদা, [[mobile]] এ হোয়াটসঅ্যাপ করবেন
মায়ের আধার কার্ড [[aadhaar]], লিঙ্ক করা মোবাইল [[mobile]]
ভোটার কার্ড [[voter]] সংশোধন করতে চাই
জিএসটি [[gstin]] বিলে লিখুন, হেল্পলাইন [[landline]]
আইএফএসসি [[ifsc]] দিয়ে টাকা পাঠান
ড্রাইভিং লাইসেন্স [[dl]] এর মেয়াদ শেষ
ক্রেডিট কার্ড [[card]] বন্ধ করুন
""")
add(POS, "a", "te", "prose", """
నా ‹మొబైల్|ఫోన్› నంబర్ [[phone]].
ఆధార్ సంఖ్య [[aadhaar]] ‹ధృవీకరించండి|లింక్ చేయండి›.
దయచేసి [[phone]] కు కాల్ చేయండి.
ఈమెయిల్ [[email]] కు పంపండి.
పాన్ [[pan]] తప్పుగా ఉంది.
డబ్బు [[upi]] కి పంపండి.
""")
add(POS, "b", "te", "prose", """
అన్నా, డ్రైవర్ నంబర్ [[mobile]] నోట్ చేసుకో
బండి నంబర్ [[vehicle]] కి చలానా వచ్చింది
ఓటరు కార్డు [[voter]], ఆధార్ [[aadhaar]]
జీఎస్టీ నంబర్ [[gstin]] ఇవ్వండి, ఆఫీసు ఫోన్ [[landline]]
డ్రైవింగ్ లైసెన్స్ [[dl]] రెన్యువల్
పాస్‌పోర్ట్ [[passport]] గడువు ముగిసింది
""")
add(POS, "a", "mr", "prose", """
माझा ‹मोबाईल|फोन› नंबर [[phone]] आहे.
आधार क्रमांक [[aadhaar]] ‹तपासा|जोडला आहे›.
कृपया [[phone]] वर संपर्क साधा.
पॅन [[pan]] आणि ईमेल [[email]] द्या.
गाडी क्रमांक [[vehicle]] उभी आहे.
रक्कम [[upi]] वर पाठवा.
""")
add(POS, "b", "mr", "prose", """
दादा, दुकानाचा नंबर [[landline]], मालक [[mobile]]
आईचं आधार कार्ड [[aadhaar]] बँकेत दिलं
वाहन परवाना [[dl]] नूतनीकरण
मतदार ओळखपत्र [[voter]] सापडत नाही
जीएसटी क्र. [[gstin]], आयएफएससी [[ifsc]]
तक्रारीसाठी [[tollfree]] किंवा [[email]]
""")
add(POS, "a", "gu", "prose", """
મારો ‹મોબાઇલ|ફોન› નંબર [[phone]] છે.
આધાર નંબર [[aadhaar]] ‹ચકાસો|લિંક કરો›.
કૃપા કરીને [[phone]] પર ફોન કરો.
ઇમેઇલ [[email]] પર મોકલો.
પાન [[pan]] સાચો છે?
પૈસા [[upi]] પર મોકલજો.
""")
add(POS, "b", "gu", "prose", """
ભાઈ, [[mobile]] પર વોટ્સએપ કરજો
દુકાનનો જીએસટી [[gstin]], ફોન [[landline]]
ગાડી નંબર [[vehicle]] નો મેમો આવ્યો
ચૂંટણી કાર્ડ [[voter]], આધાર કાર્ડ [[aadhaar]]
લાઇસન્સ [[dl]] ની મુદત પૂરી
આઈએફએસસી કોડ [[ifsc]] લખો
""")
add(POS, "a", "kn", "prose", """
ನನ್ನ ‹ಮೊಬೈಲ್|ಫೋನ್› ಸಂಖ್ಯೆ [[phone]].
ಆಧಾರ್ ಸಂಖ್ಯೆ [[aadhaar]] ‹ಪರಿಶೀಲಿಸಿ|ಜೋಡಿಸಿ›.
ದಯವಿಟ್ಟು [[phone]] ಗೆ ಕರೆ ಮಾಡಿ.
ಇಮೇಲ್ [[email]] ಗೆ ಕಳುಹಿಸಿ.
ಪ್ಯಾನ್ [[pan]] ನೀಡಿ.
ಹಣವನ್ನು [[upi]] ಗೆ ಕಳುಹಿಸಿ.
""")
add(POS, "b", "kn", "prose", """
ಅಣ್ಣ, ಡ್ರೈವರ್ ನಂಬರ್ [[mobile]] ಬರ್ಕೊಳ್ಳಿ
ಗಾಡಿ ಸಂಖ್ಯೆ [[vehicle]] ಗೆ ದಂಡ
ಮತದಾರರ ಚೀಟಿ [[voter]], ಆಧಾರ್ [[aadhaar]]
ಜಿಎಸ್‌ಟಿ [[gstin]], ಕಚೇರಿ ದೂರವಾಣಿ [[landline]]
ಚಾಲನಾ ಪರವಾನಗಿ [[dl]] ನವೀಕರಣ
""")
add(POS, "a", "ml", "prose", """
എന്റെ ‹മൊബൈൽ|ഫോൺ› നമ്പർ [[phone]] ആണ്.
ആധാർ നമ്പർ [[aadhaar]] ‹പരിശോധിക്കുക|ചേർക്കുക›.
ദയവായി [[phone]] ൽ വിളിക്കുക.
ഇമെയിൽ [[email]] ലേക്ക് അയക്കുക.
പാൻ [[pan]] തെറ്റാണ്.
പണം [[upi]] ലേക്ക് അയക്കൂ.
""")
add(POS, "b", "ml", "prose", """
ചേട്ടാ, ഡ്രൈവറുടെ നമ്പർ [[mobile]] ആണേ
വണ്ടി നമ്പർ [[vehicle]] പിഴ വന്നു
വോട്ടർ ഐഡി [[voter]], ആധാർ [[aadhaar]]
ജിഎസ്ടി [[gstin]], ഓഫീസ് [[landline]]
ഡ്രൈവിംഗ് ലൈസൻസ് [[dl]] പുതുക്കണം
പാസ്പോർട്ട് നമ്പർ [[passport]]
""")
add(POS, "a", "pa", "prose", """
ਮੇਰਾ ‹ਮੋਬਾਈਲ|ਫ਼ੋਨ› ਨੰਬਰ [[phone]] ਹੈ।
ਆਧਾਰ ਨੰਬਰ [[aadhaar]] ‹ਜਾਂਚੋ|ਜੋੜੋ›।
ਕਿਰਪਾ ਕਰਕੇ [[phone]] ਤੇ ਫ਼ੋਨ ਕਰੋ।
ਈਮੇਲ [[email]] ਤੇ ਭੇਜੋ।
ਪੈਨ ਕਾਰਡ [[pan]] ਗੁੰਮ ਗਿਆ।
""")
add(POS, "b", "pa", "prose", """
ਵੀਰੇ, [[mobile]] ਤੇ ਵਟਸਐਪ ਕਰ ਦੇ
ਗੱਡੀ ਨੰਬਰ [[vehicle]] ਦਾ ਚਲਾਨ
ਵੋਟਰ ਕਾਰਡ [[voter]], ਆਧਾਰ ਕਾਰਡ [[aadhaar]]
ਜੀਐਸਟੀ [[gstin]], ਦਫ਼ਤਰ [[landline]]
ਪੈਸੇ [[upi]] ਤੇ ਪਾ ਦਿਓ
""")
add(POS, "a", "or", "prose", """
ମୋର ‹ମୋବାଇଲ|ଫୋନ› ନମ୍ବର [[phone]]।
ଆଧାର ନମ୍ବର [[aadhaar]] ଯାଞ୍ଚ କରନ୍ତୁ।
ଇମେଲ [[email]] କୁ ପଠାନ୍ତୁ।
ପାନ୍ କାର୍ଡ [[pan]] ହଜିଯାଇଛି।
""")
add(POS, "b", "or", "prose", """
ଭାଇ, [[mobile]] ରେ ଫୋନ କରନ୍ତୁ
ଗାଡ଼ି ନମ୍ବର [[vehicle]], ଆଧାର [[aadhaar]]
ଭୋଟର କାର୍ଡ [[voter]] ସଂଶୋଧନ
ଟଙ୍କା [[upi]] କୁ ପଠାନ୍ତୁ
""")
add(POS, "a", "ur", "prose", """
میرا ‹موبائل|فون› نمبر [[phone]] ہے۔
آدھار نمبر [[aadhaar]] کی تصدیق کریں۔
براہ کرم [[phone]] پر رابطہ کریں۔
ای میل [[email]] پر بھیجیں۔
پین کارڈ [[pan]] گم ہو گیا۔
""")
add(POS, "b", "ur", "prose", """
بھائی جان، [[mobile]] پر کال کیجیے
گاڑی نمبر [[vehicle]] کا چالان، آدھار [[aadhaar]]
پاسپورٹ نمبر [[passport]] کی میعاد ختم
رقم [[upi]] پر بھیج دیں
دفتر کا فون [[landline]]، ای میل [[email]]
""")
add(POS, "a", "de", "prose", """
Bitte überweisen Sie den Betrag auf IBAN [[iban]], ‹Verwendungszweck Rechnung [[#small]]|danke›.
Meine ‹Handynummer|Telefonnummer› ist [[phone]].
Sie erreichen mich unter [[email]] oder [[phone]].
Kontoinhaber: [[#name]], IBAN: [[iban]], BIC auf Anfrage
Kreditkarte [[card]], gültig bis [[#mmyy]]
Der Server [[ip]] antwortet nicht.
""")
add(POS, "b", "de", "prose", """
Könnt ihr das Gehalt bitte auf mein neues Konto ([[iban]]) schicken?
Rückruf erbeten: [[phone]], Herr [[#last]]
SEPA-Mandat erteilt für [[iban]]; Bestätigung an [[email]]
Das Passwort lautet [[password]] – bitte nach dem Login ändern.
Zugriff von [[ipx]] wurde gesperrt
""")
add(POS, "a", "fr", "prose", """
Merci de virer le loyer sur l'IBAN [[iban]].
Mon ‹portable|numéro› est le [[phone]].
Écrivez-moi à [[email]] ‹svp|, merci d'avance›.
Ma carte bancaire [[card]] est bloquée.
Coordonnées : [[phone]] – [[email]]
""")
add(POS, "b", "fr", "prose", """
RIB joint, sinon voici l'IBAN : [[iban]]
Rappelez M. [[#last]] au [[phone]] ‹avant midi|›
Le mot de passe est [[password]], ne le partagez pas.
L'adresse [[ip]] a tenté 40 connexions
Facture à envoyer à [[email]], prélèvement sur [[iban]]
""")
add(POS, "a", "es", "prose", """
Haz la transferencia al IBAN [[iban]], por favor.
Mi ‹móvil|teléfono› es [[phone]].
Escríbeme a [[email]].
Tarjeta [[card]], caduca [[#mmyy]].
""")
add(POS, "b", "es", "prose", """
La nómina va a la cuenta [[iban]]; avisa a [[email]]
Llámame al [[phone]] cuando llegues
La contraseña es [[password]]
Bloqueamos la IP [[ip]] por intentos fallidos
""")
add(POS, "b", "it", "prose", """
Bonifico su IBAN [[iban]] intestato a [[#name]]
Il mio cellulare è [[phone]], email [[email]]
""")
add(POS, "b", "nl", "prose", """
Graag overmaken naar [[iban]] t.n.v. [[#name]]
Bel me op [[phone]] of mail [[email]]
""")
add(POS, "b", "pt", "prose", """
Transfira para o IBAN [[iban]], obrigado
Meu telefone é [[phone]], e-mail [[email]]
""")

# ---------------------------------------------------------------- several languages on a line

add(POS, "a", "mixed", "mixed", """
Name/नाम: [[#name]] | Mobile/मोबाइल: [[phone]] | Aadhaar/आधार: [[aadhaar]]
Contact தொடர்பு: [[phone]] ‹/|,› email: [[email]]
Bhai urgent hai, आधार [[aadhaar]] bhej diya, PAN [[pan]] bhi
Hi madam, ನನ್ನ ನಂಬರ್ [[mobile]], please call
Kontakt / contact: [[email]], [[worldphone]]; India office [[landline]]
""")
add(POS, "b", "mixed", "mixed", """
నమస్తే sir, my UPI is [[upi]], ఫోన్ [[mobile]]
Receipt দিন please: GST [[gstin]], mail [[email]]
Vehicle/वाहन [[vehicle]] — owner मालक [[#name]] [[mobile]]
Passport पासपोर्ट [[passport]], DL लाइसेंस [[dl]], EPIC [[voter]]
Bonjour, mon WhatsApp indien : [[mobile]], IBAN [[iban]]
ആധാർ copy attached ([[aadhaar]]), call back on [[mobile]] ok?
Payment ho gaya from card [[card]], रसीद [[email]] par bhejo
""")

# ---------------------------------------------------------------- carriers that are not records

add(POS, "a", "en", "log", """
[[#stamp]] INFO  auth login ok user=[[email]] ip=[[ip]] dur=[[#small]]ms
[[ip]] - - [[#clf]] "GET /users?email=[[email]] HTTP/1.1" 200 [[#int]]
[[#stamp]] WARN sms gateway rejected to=[[mobile]] code=[[#small]]
[[#stamp]] ERROR payment failed card=[[card]] order=[[#ordid]] amount=[[#dec]]
[[#stamp]] DEBUG kyc request {"aadhaar":"[[aadhaar]]","pan":"[[pan]]"}
level=info ts=[[#epoch]] msg="user created" phone=[[phone]] email=[[email]]
sshd[[[#small]]]: Failed password for root from [[ip]] port [[#port]] ssh2
[[#stamp]] TRACE header authorization: Bearer [[secret]]
""")
add(POS, "b", "en", "log", """
<134>[[#stamp]] fw01 kernel: DROP IN=eth0 SRC=[[ip]] DST=[[ip]] LEN=[[#small]] PROTO=TCP
E[[#small]] [[#time]] main.go:[[#small]]] upi collect to [[upi]] timed out after 30s
nginx: [error] [[#small]]#0: *[[#int]] connect() failed, client: [[ip]], server: api, upstream: "[[ipx]]"
[[#stamp]] [worker-3] subscriber [[email]] unsubscribed via [[mobile]]
Nov 12 03:14:15 mx postfix/smtp[[[#small]]]: to=<[[email]]>, relay=none, status=deferred
ts=[[#epoch]] lvl=warn event=fastag.read plate=[[vehicle]] lane=[[#small]] amount=[[#small]]
panic: cannot dial [[secreturl]]: connection refused
[[#stamp]] audit actor=[[email]] action=export rows=[[#int]] from=[[ip]] token=[[secret]]
INFO gst.validate: gstin [[gstin]] status=ACTIVE took=[[#small]]ms
""")
add(POS, "a", "en", "code", """
const API_KEY = "[[secret]]";
os.environ["TOKEN"] = '[[secret]]'
curl -H "Authorization: Bearer [[secret]]" https://api.example.com/v1/items
db_url = "[[secreturl]]"
INSERT INTO customers (name, phone, email) VALUES ('[[#name]]', '[[phone]]', '[[email]]');
UPDATE kyc SET pan='[[pan]]', aadhaar='[[aadhaar]]' WHERE id=[[#small]];
assert mask("[[mobile]]") == "XXXXXX"
send_sms(to="[[phone]]", body="Your order is ready")
{"name":"send_email","arguments":"{\\\\"to\\\\":\\\\"[[email]]\\\\",\\\\"subject\\\\":\\\\"Hi\\\\"}"}
const allow = ["[[ip]]", "[[ip]]"];
SELECT * FROM vehicles WHERE reg_no = '[[vehicle]]';
""")
add(POS, "b", "en", "code", """
export STRIPE_KEY=[[secret]] # prod
resource "x" "y" {\\n  token = "[[secret]]"\\n}
git clone https://oauth2:[[secret]]@gitlab.example.com/team/app.git
conn = psycopg2.connect("[[secreturl]]")
requests.get(url, headers={"Authorization": "[[basic]]"})
<add name="Storage" connectionString="[[azure]]" />
MERGE INTO leads l USING (SELECT '[[email]]' e, '[[mobile]]' m) s ON (l.e = s.e);
{"tool":"create_lead","input":{"phone":"[[phone]]","gstin":"[[gstin]]","note":"from [[#city]]"}}
fmt.Println("refund to", "[[upi]]") // vpa
iptables -A INPUT -s [[ip]] -j DROP
val passport = "[[passport]]" // traveller passport number
docker run -e DB_PASSWORD='[[password]]' -p 5432:5432 postgres
kubectl create secret generic s --from-literal=api_key=[[generic]]
test('iban', () => expect(valid("[[iban]]")).toBe(true))
aws configure set aws_secret_access_key [[generic]]
""")
add(POS, "a", "en", "config", """
password=[[password]]
api_key: [[generic]]
AWS_ACCESS_KEY_ID=[[secret]]\\nAWS_SECRET_ACCESS_KEY=[[generic]]
spring.datasource.password=[[password]]
DATABASE_URL=[[secreturl]]
[[pem]]
ssl_key: |\\n[[pem]]
client_secret = "[[generic]]"
allow [[ip]];\\ndeny all;
admin_email: [[email]]
""")
add(POS, "b", "en", "config", """
[smtp]\\nuser = [[email]]\\npass = [[password]]\\nhost = [[ip]]
REDIS_URL="[[secreturl]]"
-Djavax.net.ssl.keyStorePassword=[[password]]
upstream backend { server [[ipx]]; server [[ip]]:8080 down; }
[[gcp]]
{"tls":{"key":"[[pemjson]]"}}
bot_token: "[[secret]]"\\nowner_phone: "[[phone]]"
machine github.com login ci password [[secret]]
secretKey="[[generic]]" region="ap-south-1"
attached is the deploy key\\n\\n[[pem]]\\n\\nplease install it
""")
add(POS, "a", "en", "email", """
Dear [[#name]],\\n\\nThank you for choosing [[#company]]. Your request has been logged.\\n\\nRegards,\\n[[#name]]\\nM: [[mobile]] | E: [[email]]
From: [[#name]] <[[email]]>\\nTo: [[email]]\\nSubject: Documents\\n\\nPFA. PAN: [[pan]]\\nAadhaar: [[aadhaar]]
Sir,\\nplease find our bank details below.\\nBank: [[#bank]]\\nIFSC: [[ifsc]]\\nGSTIN: [[gstin]]\\nThanks
Hi team,\\n\\nThe guest's passport is [[passport]] and she lands at [[#time]]. Driver: [[mobile]], cab [[vehicle]].\\n\\nBest,\\n[[#first]]
""")
add(POS, "b", "en", "email", """
-- \\n[[#name]]\\nSenior Manager, [[#company]]\\nTel: [[landline]]\\nCell: [[phone]]\\n[[email]]\\n[[#city]]
On [[#date]], [[email]] wrote:\\n> can you share the UPI id?\\n[[upi]]\\n> and gst?\\n[[gstin]]
Return-Path: <[[email]]>\\nReceived: from mail (unknown [[[ip]]])\\nReply-To: [[email]]\\nSubject: Re: visit
Respected Sir/Madam,\\nI, [[#name]], holder of driving licence [[dl]] and voter ID [[voter]], request correction of my mobile number from [[mobile]] to [[mobile]].\\nYours faithfully
Namaste,\\nKindly remit EUR [[#int]] to:\\nBeneficiary [[#company]]\\nIBAN [[iban]]\\nQueries: [[worldphone]]
""")
add(POS, "a", "en", "whatsapp", """
[[[#dmy]], [[#time]]] [[#first]]: number bhejo\\n[[[#dmy]], [[#time]]] [[#first]]: [[phone]]
[[#dmy]], [[#time]] - [[#first]]: my upi is [[upi]] 👍
*[[#company]]*\\n📞 [[phone]]\\n📧 [[email]]\\n📍 [[#city]]
[[#first]]: Aadhaar?\\n[[#first]]: [[aadhaar]]
""")
add(POS, "b", "en", "whatsapp", """
Forwarded: 🚨 Lost dog near [[#city]], call ☎️[[mobile]] or 📱[[phone]]
[[#time]] [[#first]] ➡ acc details?\\n[[#time]] [[#first]] ➡ [[ifsc]] branch [[#city]]
wa.me/91[[#small]] nahi chal raha, seedha [[mobile]]
🏏 Turf booking 🏏 ₹[[#int]]/hr — [[mobile]] (‹Raju|Imran|Tony›) / gpay [[upi]]
Drive link do ‹pls|na›\\n[[email]] pe access de do
""")
add(POS, "a", "en", "html", """
<a href="mailto:[[email]]">Write to us</a> or <a href="tel:[[mobile]]">call</a>
<tr><td>[[#name]]</td><td>[[phone]]</td><td>[[pan]]</td></tr>
<p>GSTIN: <b>[[gstin]]</b><br/>Phone: [[landline]]</p>
| Name | Mobile | Aadhaar |\\n|---|---|---|\\n| [[#name]] | [[mobile]] | [[aadhaar]] |\\n| [[#name]] | [[mobile]] | [[aadhaar]] |
- **Email**: [[email]]\\n- **Phone**: [[phone]]\\n- **UPI**: `[[upi]]`
""")
add(POS, "b", "en", "html", """
<input type="text" name="aadhaar" value="[[aadhaar]]"/><input name="mobile" value="[[mobile]]">
<!-- todo remove: [[email]] / [[password]] --><span class="vpa">[[upi]]</span>
<script type="application/ld+json">{"@type":"LocalBusiness","telephone":"[[phone]]","email":"[[email]]"}</script>
[Contact](mailto:[[email]]) · ☎ [[landline]] · [pay](upi://pay?pa=[[upi]]&pn=Shop&am=[[#small]])
> **Driver** [[#name]]\\n> **Vehicle** [[vehicle]]\\n> **DL** [[dl]]
BEGIN:VCARD\\nVERSION:3.0\\nFN:[[#name]]\\nTEL;TYPE=CELL:[[phone]]\\nEMAIL:[[email]]\\nEND:VCARD
<Contact><Phone>[[phone]]</Phone><Iban>[[iban]]</Iban></Contact>
""")
add(POS, "a", "en", "url", """
https://shop.example.com/track?mobile=[[mobile]]&pin=[[#pin]]
https://app.example.in/verify?email=[[email]]&otp=[[#small]]
http://[[ip]]:8080/admin/login
see ‹https|http›://[[ipx]]
""")
add(POS, "b", "en", "url", """
upi://pay?pa=[[upi]]&pn=[[#first]]&am=[[#small]].00
https://example.org/reset?token=[[secret]]
sip:[[email]];transport=tcp
rtsp://[[ip]]:554/stream1
https://hooks.example.com/cb?to=[[email]]&from_ip=[[ip]]
""")
add(POS, "b", "en", "stream", """
data: {"choices":[{"delta":{"content":"Sure, his number is [[phone]]."}}]}
{"role":"tool","content":"{\\\\"mobile\\\\":\\\\"[[mobile]]\\\\",\\\\"vpa\\\\":\\\\"[[upi]]\\\\"}"}
event: message\\ndata: {"text":"PAN [[pan]] verified"}
""")
add(POS, "a", "en", "stream", """
data: {"delta":"Write to [[email]] today"}
{"role":"user","content":"My Aadhaar is [[aadhaar]], book a slot"}
""")
add(POS, "a", "en", "optional", """
VID [[vid]] was generated for ‹my|his› Aadhaar ‹account|›; call [[mobile]]
""")
add(POS, "b", "en", "optional", """
Use virtual ID [[vid]] instead of Aadhaar [[aadhaar]]
""")

# ---------------------------------------------------------------- negatives that format, boundary or checksum decide

add(NEG, "a", "en", "numbers", """
‹Invoice|Bill|PO› no. [[#inv]] dated [[#date]]
Tracking [[#track]] ‹out for delivery|left [[#city]] hub›
started at [[#epoch]], finished at [[#epoch]]
timestamp=[[#millis]] level=info
OID [[#oid]] is not supported
Location: [[#lat]], [[#lon]]
trace [[#uuid]] span [[#hex16]]
sha256:[[#sha256]]
commit [[#sha1]] by CI
md5 [[#md5]]  archive.tar.gz
Chrome/‹126|119|131›.0.[[#v4]].[[#small]] Safari/537.36
v[[#semver]] released, fixes [[#small]] bugs
arn:aws:iam::[[#acct]]:role/deploy
ISBN [[#isbn]]
EAN [[#ean]] out of stock
‹₹|Rs. |INR ›[[#lakh]] ‹only|per annum|GST extra›
pi is 3.14159265358979, e is 2.718281828459
0x[[#hex16]] 0x[[#hex16]]
‹Population|Views|Downloads›: [[#big]]
GSTIN [[#badgstin]] ‹is invalid|has a wrong check character›
Aadhaar [[#badaadhaar]] ‹fails the checksum|is not valid›
card [[#badcard]] ‹was mistyped|is rejected by Luhn›
IBAN [[#badiban]] ‹fails mod 97|has a wrong check›
Aadhaar XXXX XXXX [[#d4]] ‹verified|linked›
card ending [[#d4]] ‹was charged|declined›
‹Mobile|Phone› ******[[#d4]] ‹got an OTP|›
""")
add(NEG, "b", "en", "numbers", """
AWB [[#track]] — ‹RTO initiated|in transit›
{"ts":[[#millis]],"seq":[[#int]],"lag":[[#small]]}
run id [[#long]] (attempt [[#small]])
snmpget 10.x: iso.[[#oid]]
geo:[[#lat]],[[#lon]]?z=15
ETag: W/"[[#md5]]"
traceparent: 00-[[#hex32]]-[[#hex16]]-01
"integrity": "sha512-[[#b64long]]=="
Mozilla/5.0 (X11) Firefox/128.0 rv:109.0.[[#small]].[[#small]]
bumped to [[#ver4]], see the changelog (was [[#ver4]])
s3://backups-[[#acct]]-ap-south-1/daily/
account id [[#acct]] in us-east-1, registry [[#acct]].dkr.ecr.amazonaws.com
ISBN-10: [[#isbn10]] / ISBN-13: [[#isbn]]
UPC [[#ean]], shelf [[#small]]-B
Total ₹[[#lakh]] + 18% = ₹[[#lakh]]
matrix: [1.[[#d7]], 0.[[#d12]], -0.[[#d10]]]
00000010  [[#dump]]  |................|
‹Our|The› supplier wrote GST no. as [[#badgstin]], which the portal refuses
checksum test: [[#badcard]] and [[#badcard]] must both fail
invalid iban sample [[#badiban]]
UID [[#badaadhaar]] → Verhoeff mismatch
Aadhaar: ‹********|xxxx-xxxx-|••••••••›[[#d4]]
PAN: ‹ABCDE****F|XXXXX1234X|*****9876*›
+91-XXXXX-X[[#d4]]
[[#long24]] is the Mongo id
RRN [[#d12]]77, UTR SBIN[[#d18]]
frame [[#d15]]8 dropped
""")
add(NEG, "a", "en", "text", """
ssh ‹deploy|root|ubuntu›@‹bastion|web1|gw› ‹uptime|›
npm install @‹types|babel|angular›/‹node|core|cli›@[[#semver]]
‹react|lodash|vite|express›@[[#semver]]
@media (min-width: 768px) { .card { padding: 4px } }
@dataclass\\nclass Order: id: int
Hello {{‹email|user.phone|customer.mobile›}}, welcome to {{company}}
api_key = os.environ["‹OPENAI|STRIPE|MAPS›_API_KEY"]
password: ${‹DB_PASSWORD|SMTP_PASS›}
Use sk-... as your key ‹and restart|›
OPENAI_API_KEY=‹YOUR_API_KEY|your-key-here|<api-key>›
‹Follow|Tag› us @‹bluelotus|kaveri.store|rangoli_in› on Instagram
Aadhaar ‹enrolment is free|centre opens at 9|update camp on Sunday›
PAN ‹card delivery takes 15 days|is needed above ₹50,000|and TAN are different›
regex: ^[6-9]\\d{9}$ ‹matches a mobile|›
^[A-Z]{5}[0-9]{4}[A-Z]$
My IFSC code is wrong, what should I do?
UPI limit is ₹1,00,000 a day
Meeting from 10:30 to 11:45 on [[#date]]
Size 38-40-42, colour code #[[#hex6]]
""")
add(NEG, "b", "en", "text", """
scp report.pdf ‹me|backup|pi›@‹nas|box7|laptop›:~/docs
go get github.com/acme/lib@v[[#semver]]
"@acme/ui": "^[[#semver]]", "eslint": "~[[#semver]]"
@app.route("/users")\\n@login_required\\ndef users(): pass
@keyframes fade { from { opacity: 0 } }
Dear %EMAIL%, your code is %OTP%
<%= user.email %> signed in from <%= ip %>
token: "{{ secrets.GITHUB_TOKEN }}"
password = getpass.getpass()
SECRET_KEY=changeme_please
Authorization: Bearer <token>
"apiKey": "xxxxxxxxxxxxxxxxxxxxxxxx"
const re = /\\+91[ -]?\\d{5}[ -]?\\d{5}/
Louis XIV, Henry VIII and Chapter MCMXCIV
The IP address of a server identifies it; IPv6 has 128 bits
What is the format of a ‹GSTIN|driving licence number|passport number› in India?
-----BEGIN CERTIFICATE REQUEST----- is followed by base64
12:34:56:78:9a:bc is a MAC address
std::vector<int>::iterator, a::b::c, foo::bar
20[[#d2]]-‹01|07|11›-1[[#d1]]T1[[#d1]]:3[[#d1]]:2[[#d1]]Z
Score 4-3, 6-2, 7-6 (7-5)
resolution 1920x1080, 3840x2160, dpi 300
email me‹ any time|, do not call›; my handle is @[[#first]]
Section 80C, 80D and 10(13A) of the Act, form 26AS
mixed numbers: 12 34 56, 78 90 12
""")
for half, rows in {"a": [
    ("hi", "कुल राशि ₹[[#nint]] मात्र"), ("hi", "दिनांक [[#ndate]] को बैठक है"), ("hi", "आधार केंद्र [[#ntime]] बजे खुलेगा"), ("hi", "जनसंख्या [[#nbig]] है"),
    ("ta", "விலை ₹[[#nint]] மட்டுமே"), ("ta", "தேதி [[#ndate]]"), ("bn", "মোট [[#nint]] টাকা"), ("bn", "তারিখ [[#ndate]]"), ("te", "ధర ₹[[#nint]]"), ("te", "తేదీ [[#ndate]]"),
    ("mr", "एकूण रक्कम रु. [[#nint]]"), ("gu", "કુલ રૂ. [[#nint]]"), ("kn", "ಬೆಲೆ ₹[[#nint]]"), ("ml", "വില ₹[[#nint]]"), ("pa", "ਕੁੱਲ ₹[[#nint]]"), ("or", "ମୂଲ୍ୟ ₹[[#nint]]"), ("ur", "کل رقم [[#nint]] روپے"),
    ("de", "Rechnung Nr. [[#inv]] vom [[#date]]"), ("fr", "Facture n° [[#inv]], total [[#dec]] €"), ("es", "Pedido n.º [[#inv]] enviado"), ("hi-Latn", "kul [[#lakh]] rupaye lage"),
], "b": [
    ("hi", "पिन कोड [[#npin]], वार्ड [[#nsmall]]"), ("hi", "मतदान [[#ndate]] को, बूथ [[#nsmall]]"), ("hi", "पैन कार्ड कैसे बनवाएँ?"), ("mr", "लोकसंख्या [[#nbig]] आहे, क्षेत्रफळ [[#nint]] चौ.किमी"),
    ("ta", "மக்கள் தொகை [[#nbig]]"), ("ta", "ஆதார் மையம் எங்கே உள்ளது?"), ("bn", "জনসংখ্যা [[#nbig]] জন"), ("bn", "পিন [[#npin]]"), ("te", "జనాభా [[#nbig]]"), ("te", "పిన్ కోడ్ [[#npin]]"),
    ("gu", "પિન કોડ [[#npin]], તારીખ [[#ndate]]"), ("kn", "ಜನಸಂಖ್ಯೆ [[#nbig]]"), ("ml", "തീയതി [[#ndate]], സമയം [[#ntime]]"), ("pa", "ਤਾਰੀਖ [[#ndate]]"), ("or", "ତାରିଖ [[#ndate]]"), ("ur", "تاریخ [[#ndate]]، وقت [[#ntime]]"),
    ("de", "Version [[#ver4]] ist da, Build [[#small]]"), ("fr", "Version [[#semver]], le [[#date]] à 14h30"), ("es", "Coordenadas [[#lat]], [[#lon]]"), ("hi-Latn", "train number 12[[#d3]] platform 4 pe aayegi"),
]}.items():
    for lang, t in rows:
        NEG[half, lang, "text" if "[[" not in t else "numbers"].append(t)

# ---------------------------------------------------------------- negatives that only the words tell

add(CTX, "a", "en", "words", """
‹order|Order ID|order no.› [[#mob10]] ‹shipped|was cancelled|›
‹ticket|Ticket|case› #[[#mob10]] ‹closed|reopened›
‹a/c|account no|Account number› [[#acc]] ‹at [[#bank]]|credited›
invoice number [[#mob10]]
SKU [[#epiclike]] ‹restocked|in aisle 4›
part no. [[#passlike]] ‹fits the pump|›
bucket-[[#uidlike]]
AWS account [[#uidlike]] ‹over budget|›
version [[#ver4]] ‹of the driver|is out›
build [[#ver4]]
git@‹github.com|gitlab.com|bitbucket.org›:‹team|acme|me›/‹app|api|infra›.git
transaction id [[#uidlike]] ‹success|pending›
flight ‹code|booking› [[#panlike]] (PNR)
model [[#panlike]]-‹X|Pro›
roll number [[#mob10]]
file size [[#mob10]] bytes
""")
add(CTX, "b", "en", "words", """
consignment note [[#mob10]], 3 boxes
policy no [[#uidlike]] ‹renewal due|lapsed›
loan account [[#acc]] EMI bounced
meter reading [[#mob10]], consumer no [[#uidlike]]
serial [[#epiclike]] under warranty
catalogue ref [[#passlike]], page [[#small]]
product key batch [[#panlike]]
firmware [[#ver4]] → [[#ver4]]
DLL Version=[[#ver4]], Culture=neutral
UTR/Ref [[#uidlike]] (NEFT)
user id [[#mob10]] in the game
telegram chat_id=[[#mob10]]
pallet [[#vehlike]]? no, rack ‹A|B›[[#small]]
bytes=[[#mob10]]-
origin  git@git.‹acme|corp›.io:platform/[[#first]].git (fetch)
article [[#ssnlike]] in the spare parts list
seq [[#cardlike]] of the partition
deploy id [[#cardlike]] finished
""")
for half, rows in {"a": [("hi", "ऑर्डर संख्या [[#nmob]] रद्द"), ("ta", "ஆர்டர் எண் [[#nmob]]"), ("bn", "অর্ডার নম্বর [[#nmob]]"), ("te", "ఆర్డర్ నంబర్ [[#nmob]]"), ("hi-Latn", "order number [[#mob10]] ka status batao")],
                   "b": [("mr", "ग्राहक क्रमांक [[#nmob]]"), ("gu", "બિલ નંબર [[#nmob]]"), ("kn", "ಆರ್ಡರ್ ಸಂಖ್ಯೆ [[#nmob]]"), ("hi", "खाता संख्या [[#nmob]] में जमा"), ("de", "Auftragsnummer [[#mob10]]"), ("fr", "commande n° [[#mob10]]"), ("hi-Latn", "bijli ka consumer no [[#mob10]] hai")]}.items():
    for lang, t in rows:
        CTX[half, lang, "words"].append(t)
