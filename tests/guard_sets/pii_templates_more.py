"""More templates of the PII set, in the form of pii_templates.py; importing this file adds them."""

from pii_templates import CTX, NEG, POS, add

# ---------------------------------------------------------------- forms, chats and documents in Indian languages

add(POS, "a", "hi", "prose", """
नाम: [[#name]]\\nमोबाइल: [[phone]]\\nआधार: [[aadhaar]]\\nपता: [[#city]]
आवेदन क्रमांक [[#small]] · संपर्क [[phone]] · ई-मेल [[email]]
‹दुकानदार|ग्राहक|मरीज़› का फ़ोन [[phone]] और दूसरा नंबर [[phone]]
क्या [[aadhaar]] इस बच्चे का आधार है?
राशन कार्ड में आधार [[aadhaar]] जोड़ दिया गया, कुल सदस्य [[#nsmall]]
फोन करें: [[phone]] (सुबह [[#ntime]] बजे के बाद)
""")
add(POS, "b", "hi", "prose", """
‹सर|मैडम|जी›, ओटीपी [[mobile]] पर नहीं आ रहा, दूसरा नंबर [[mobile]] जोड़ दें
दिनांक [[#ndate]] को [[phone]] से धमकी भरा फ़ोन आया
{"नाम":"[[#name]]","आधार":"[[aadhaar]]","मोबाइल":"[[phone]]"}
| नाम | मोबाइल | आधार |\\n|---|---|---|\\n| [[#name]] | [[phone]] | [[aadhaar]] |
यूआईडीएआई पोर्टल पर [[aadhaar]] डालने पर त्रुटि; कुल राशि ₹[[#nint]] कट गई
क्रेडिट कार्ड संख्या [[card]] की सीमा बढ़ाइए
""")
for lang, a, b in [
    ("ta", "பெயர்: [[#name]]\\nகைபேசி: [[phone]]\\nஆதார்: [[aadhaar]]\nதொடர்புக்கு [[phone]], நேரம் [[#ntime]]\nஅவர் ஆதார் [[aadhaar]], மொத்தம் ₹[[#nint]]\nஇந்த எண்ணில் [[phone]] வாட்ஸ்அப் உள்ளது",
     "அண்ணா, [[mobile]] இல்லன்னா [[mobile]] கூப்பிடுங்க\n{\"பெயர்\":\"[[#name]]\",\"ஆதார்\":\"[[aadhaar]]\"}\n[[#ndate]] அன்று [[phone]] இலிருந்து அழைப்பு வந்தது\nகடன் அட்டை [[card]] முடக்கவும்\nஆதார் அட்டை எண் [[aadhaar]] வங்கியில் இணைக்கப்படவில்லை"),
    ("bn", "নাম: [[#name]]\\nমোবাইল: [[phone]]\\nআধার: [[aadhaar]]\nযোগাযোগ [[phone]], সময় [[#ntime]]\nওনার আধার [[aadhaar]], মোট ₹[[#nint]]\nএই নম্বরে [[phone]] হোয়াটসঅ্যাপ আছে",
     "[[mobile]] না পেলে [[mobile]] এ কল দিও\n{\"নাম\":\"[[#name]]\",\"আধার\":\"[[aadhaar]]\"}\n[[#ndate]] তারিখে [[phone]] থেকে ফোন এসেছিল\nআধার কার্ডের নম্বর [[aadhaar]] ব্যাংকে যুক্ত হয়নি\nরেশন কার্ডে আধার [[aadhaar]] তুলুন"),
    ("te", "పేరు: [[#name]]\\nమొబైల్: [[phone]]\\nఆధార్: [[aadhaar]]\nసంప్రదించండి [[phone]], సమయం [[#ntime]]\nవారి ఆధార్ [[aadhaar]], మొత్తం ₹[[#nint]]\nఈ నంబర్ [[phone]] లో వాట్సాప్ ఉంది",
     "[[mobile]] కలవకపోతే [[mobile]] కు చేయండి\n{\"పేరు\":\"[[#name]]\",\"ఆధార్\":\"[[aadhaar]]\"}\n[[#ndate]] న [[phone]] నుండి కాల్ వచ్చింది\nఆధార్ కార్డు నంబర్ [[aadhaar]] బ్యాంకుకు లింక్ కాలేదు\nయూపీఐ ఐడీ [[upi]] కి ₹[[#nint]] పంపాను"),
    ("mr", "नाव: [[#name]]\\nमोबाईल: [[phone]]\\nआधार: [[aadhaar]]\nसंपर्क [[phone]], वेळ [[#ntime]]\nत्यांचा आधार [[aadhaar]], एकूण ₹[[#nint]]",
     "[[mobile]] लागत नसेल तर [[mobile]] वर करा\n{\"नाव\":\"[[#name]]\",\"आधार\":\"[[aadhaar]]\"}\n[[#ndate]] रोजी [[phone]] वरून फोन आला\nआधार कार्ड क्रमांक [[aadhaar]] बँकेशी जोडलेला नाही"),
    ("gu", "નામ: [[#name]]\\nમોબાઇલ: [[phone]]\\nઆધાર: [[aadhaar]]\nસંપર્ક [[phone]], સમય [[#ntime]]\nતેમનો આધાર [[aadhaar]], કુલ ₹[[#nint]]",
     "[[mobile]] ન લાગે તો [[mobile]] પર કરજો\n{\"નામ\":\"[[#name]]\",\"આધાર\":\"[[aadhaar]]\"}\n[[#ndate]] ના રોજ [[phone]] થી ફોન આવ્યો"),
    ("kn", "ಹೆಸರು: [[#name]]\\nಮೊಬೈಲ್: [[phone]]\\nಆಧಾರ್: [[aadhaar]]\nಸಂಪರ್ಕ [[phone]], ಸಮಯ [[#ntime]]\nಅವರ ಆಧಾರ್ [[aadhaar]], ಒಟ್ಟು ₹[[#nint]]",
     "[[mobile]] ಸಿಗದಿದ್ದರೆ [[mobile]] ಗೆ ಮಾಡಿ\n{\"ಹೆಸರು\":\"[[#name]]\",\"ಆಧಾರ್\":\"[[aadhaar]]\"}\n[[#ndate]] ರಂದು [[phone]] ಇಂದ ಕರೆ ಬಂತು"),
    ("ml", "പേര്: [[#name]]\\nമൊബൈൽ: [[phone]]\\nആധാർ: [[aadhaar]]\nബന്ധപ്പെടുക [[phone]], സമയം [[#ntime]]\nഅവരുടെ ആധാർ [[aadhaar]], ആകെ ₹[[#nint]]",
     "[[mobile]] കിട്ടിയില്ലെങ്കിൽ [[mobile]] ൽ വിളിക്കൂ\n{\"പേര്\":\"[[#name]]\",\"ആധാർ\":\"[[aadhaar]]\"}\n[[#ndate]] ന് [[phone]] ൽ നിന്ന് കോൾ വന്നു"),
    ("pa", "ਨਾਂ: [[#name]]\\nਮੋਬਾਈਲ: [[phone]]\\nਆਧਾਰ: [[aadhaar]]\nਸੰਪਰਕ [[phone]], ਸਮਾਂ [[#ntime]]",
     "[[mobile]] ਨਾ ਲੱਗੇ ਤਾਂ [[mobile]] ਤੇ ਕਰੋ\n{\"ਨਾਂ\":\"[[#name]]\",\"ਆਧਾਰ\":\"[[aadhaar]]\"}\n[[#ndate]] ਨੂੰ [[phone]] ਤੋਂ ਫ਼ੋਨ ਆਇਆ"),
    ("or", "ନାମ: [[#name]]\\nମୋବାଇଲ: [[phone]]\\nଆଧାର: [[aadhaar]]\nଯୋଗାଯୋଗ [[phone]]",
     "[[mobile]] ନଲାଗିଲେ [[mobile]] ରେ କରନ୍ତୁ\n[[#ndate]] ରେ [[phone]] ରୁ ଫୋନ ଆସିଲା\nଆଧାର କାର୍ଡ ନମ୍ବର [[aadhaar]] ବ୍ୟାଙ୍କରେ ଯୋଡ଼ି ହୋଇନାହିଁ"),
    ("ur", "نام: [[#name]]\\nموبائل: [[phone]]\\nآدھار: [[aadhaar]]\nرابطہ [[phone]]، وقت [[#ntime]]",
     "[[mobile]] نہ ملے تو [[mobile]] پر کریں\n[[#ndate]] کو [[phone]] سے کال آئی\nآدھار کارڈ نمبر [[aadhaar]] بینک سے منسلک نہیں"),
]:
    add(POS, "a", lang, "prose", a)
    add(POS, "b", lang, "prose", b)
add(POS, "b", "as", "prose", """
মোৰ ফোন নম্বৰ [[phone]], আধাৰ [[aadhaar]]
""")
add(POS, "b", "ne", "prose", """
मेरो मोबाइल नम्बर [[mobile]] हो, इमेल [[email]]
""")

# ---------------------------------------------------------------- more English

add(POS, "a", "en", "chat", """
tel:[[mobile]], mailto:[[email]]
"[[email]]" and '[[phone]]' ‹were typed wrong|are mine›.
‹Call|Dial› [[landline]] ext. [[#small]] ‹for accounts|›.
The PAN on the ‹invoice|form 16› is [[pan]]; the GSTIN ‹derived from it|of the firm› is [[gstin]].
Both [[upi]] and [[email]] belong to [[#first]]; the first is for payments.
He paid with ‹Mastercard|Visa› [[card]] from [[ip]], order [[#ordid]], at [[#stamp]].
‹Lead|Prospect› #[[#small]]: [[#name]], [[#city]], [[mobile]], wants [[#plan]], score [[#dec]]
My SSN ([[ssn]]) and my Indian PAN ([[pan]]) are both on the form.
Order [[#ordid]] for [[#name]], phone [[phone]], amount Rs [[#lakh]], tracking [[#track]].
Server v[[#semver]] at [[ip]] rebooted at [[#epoch]].
""")
add(POS, "b", "en", "chat", """
If unreachable try ([[phone]]) or [[[email]]].
‹Agent note|CRM note›: spoke to [[#first]]; alt no. [[mobile]]/[[mobile]]; order [[#ordid]]; pin [[#pin]].
Landline [[landline]] x[[#small]], fax [[landline]]
Invoice [[#inv]] raised on [[gstin]] for ₹[[#lakh]], IFSC [[ifsc]], UTR pending, contact [[email]].
ID proof: ‹Aadhaar|aadhar› - [[aadhaar]]; address proof: ‹voter id|EPIC› - [[voter]]; age proof: passport - [[passport]]
Truck [[vehicle]] driven by [[#name]] (licence [[dl]]) carries AWB [[#track]].
from [[ip]] to [[ip]], [[#int]] packets, MAC aa:bb:cc:0[[#d1]]:2[[#d1]]:ff
Session [[#uuid]] of [[email]] came via [[ipx]] running Chrome/126.0.0.0
‹Refund UPI|Payout VPA›? [[upi]], not [[upi]] ‹(typo)|›
Our bank: IBAN [[iban]], and for India IFSC [[ifsc]]
Tenant's PAN: [[pan]] / landlord's PAN: [[pan]] (rent above 1 lakh)
She spelled it: [[email]]. Then gave [[phone]] & hung up.
""")
add(POS, "a", "en", "code", """
users = [("[[#name]]", "[[mobile]]"), ("[[#name]]", "[[mobile]]")]
{"messages":[{"role":"user","content":"Book a cab to [[#city]], my number is [[phone]]"}]}
INSERT INTO payments VALUES ([[#small]], '[[card]]', [[#dec]]), ([[#small]], '[[card]]', [[#dec]]);
""")
add(POS, "b", "en", "code", """
struct Peer { addr: "[[ip]]", port: [[#port]] } // owner [[email]]
{"tool_call_id":"call_[[#hex16]]","content":"[{\\\\"pan\\\\":\\\\"[[pan]]\\\\",\\\\"dl\\\\":\\\\"[[dl]]\\\\"}]"}
COPY leads FROM stdin;\\n[[#small]]\\t[[#name]]\\t[[mobile]]\\t[[email]]\\n\\\\.
Authorization: token [[secret]]
resp, _ := http.Get("http://[[ip]]:9090/q?vpa=[[upi]]")
""")

# ---------------------------------------------------------------- more negatives

add(NEG, "a", "en", "numbers", """
{"order_id":"[[#ordid]]","sku":"[[#sku]]","amount":[[#dec]],"ts":[[#epoch]]}
| id | qty | price |\\n|---|---|---|\\n| [[#small]] | [[#small]] | [[#dec]] |
x = [[#d7]][[#d7]]; y = -[[#d10]].5
‹HSN|SAC› code 9983[[#d2]], quantity [[#small]]
cell tower 404-45-[[#int]]-[[#int]], signal -[[#d2]] dBm
fps=60 bitrate=[[#int]]k size=1920x1080
call +91XXXXXXXX[[#d2]] (masked)
PNR 2[[#d3]]‹-|›[[#d3]][[#d4]]?? invalid
PIN codes: [[#pin]], [[#pin]], [[#pin]], [[#pin]]
""")
add(NEG, "b", "en", "numbers", """
id,sku,qty,price\\n[[#small]],[[#sku]],[[#small]],[[#dec]]\\n[[#small]],[[#sku]],[[#small]],[[#dec]]
heap at 0x[[#hex16]]: [[#d15]] bytes
pod web-[[#hex6]]f7-x2k9z restarted [[#small]] times since [[#stamp]]
blob sha1-[[#sha1]] size [[#long]]
train 12[[#d3]] departs [[#time]] arrives [[#time]], fare ₹[[#small]]
color: #[[#hex6]]; margin: -[[#d2]]px; z-index: 2147483647
INSERT INTO metrics VALUES ([[#epoch]], [[#dec]], [[#dec]]);
CIN U72900MH2015PTC2[[#d3]][[#d2]], TAN MUM[[#d1]]1[[#d3]]
duration_ns=[[#long]] span=[[#hex16]]
π ≈ 3.[[#d15]], √2 ≈ 1.[[#d12]]
BP 120/80, sugar 98, SpO2 97, weight [[#d2]].[[#d1]] kg
""")
add(NEG, "a", "en", "text", """
git push origin HEAD:refs/for/main
docker run -p 8080:80 nginx:1.[[#d2]].[[#d1]]
client = OpenAI(api_key=settings.api_key)
const token = await getToken()
‹My|The› password ‹reset link expired|must have 12 characters|was changed yesterday›.
phone = request.form.get("phone")
CREATE TABLE users (email TEXT, phone VARCHAR(15), aadhaar CHAR(12));
Fields: name, email, mobile, PAN, GSTIN, IFSC
""")
add(NEG, "b", "en", "text", """
import { Email } from "@acme/mail"; // see docs
email: string; phone?: string; pan: string
"token_type": "bearer", "expires_in": 3600
rsync -av build/ www@host1:/srv/site
‹How|Where› do I ‹find|reset› my ‹UPI PIN|DigiLocker password|FASTag id›?
ssh-keygen -t ed25519 -C "work laptop"
match s { "card" => 1, "iban" => 2, _ => 0 }
Authorization header missing: expected "Bearer ..." or "Basic ..."
AKIA is the prefix of AWS key ids; ghp_ of GitHub tokens
pip install requests==2.[[#d2]].[[#d1]] urllib3~=2.0
the regex (?:\\\\d{4}[ -]?){3}\\\\d{4} finds cards
AADHAAR_REGEX = r"[2-9]\\\\d{3} \\\\d{4} \\\\d{4}"
""")
add(CTX, "a", "en", "words", """
{"order_id":"[[#mob10]]","status":"shipped"}
order_id,qty\\n[[#mob10]],[[#small]]\\n[[#mob10]],[[#small]]
"account_number": "[[#acc]]"
reference: [[#uidlike]]
receipt no. [[#epiclike]]
row count [[#mob10]], bytes [[#uidlike]]
""")
add(CTX, "b", "en", "words", """
shipment_id=[[#mob10]] carrier=‹DTDC|BlueDart›
<orderNo>[[#mob10]]</orderNo><qty>[[#small]]</qty>
bumped to [[#ver4]], see the changelog (was [[#ver4]])
invoice_no: [[#uidlike]]\\namount: [[#dec]]
gem bid GEM/2025/B/[[#mob10]]
coupon [[#panlike]] gives 10% off
asset tag [[#passlike]], room [[#small]]
job [[#uidlike]] exited with 0
driver version [[#ver4]] (NVIDIA)
""")

for lang, text in [
    ("it", "L'IBAN è cambiato: [[iban]]\nChiamate [[phone]] per il ritiro\nIndirizzo IP [[ip]] bloccato, avvisare [[email]]\nLa password è [[password]]"),
    ("nl", "Nieuw rekeningnummer: [[iban]]\nMijn mobiel: [[phone]]\nHet wachtwoord is [[password]]\nServer [[ip]] ligt plat, mail [[email]]"),
    ("pt", "Novo IBAN: [[iban]]\nLigue para [[phone]] depois das 18h\nA senha é [[password]]\nO servidor [[ip]] caiu, avise [[email]]"),
    ("as", "আধাৰ কাৰ্ডৰ নম্বৰ [[aadhaar]] ভুল\n[[mobile]] ত ফোন কৰক\nইমেইল [[email]] লৈ পঠাওক"),
    ("ne", "मेरो गाडी नम्बर [[vehicle]] हो\nकृपया [[mobile]] मा फोन गर्नुहोस्\nआधार नम्बर [[aadhaar]] मिलेन"),
]:
    add(POS, "b", lang, "prose", text)

add(CTX, "a", "en", "versions", """
‹app|plugin|agent› version [[#ver4]]
release [[#ver4]] ‹is out|was pulled|fixes the login›
Product Version: [[#ver4]]
nuget package Foo [[#ver4]]
arn:aws:s3:::logs-[[#uidlike]]-mumbai
s3://[[#uidlike]]-uploads/‹a|b›.csv
registry image [[#uidlike]].dkr.ecr.ap-south-1.amazonaws.com/app
git clone git@‹github.com|gitlab.com›:‹org|team›/‹web|data›.git
git@‹bitbucket.org|ssh.dev.azure.com›:v3/‹org|team›/‹web|data›
origin git@github.com:‹org|acme›/[[#first]].git (push)
""")
add(CTX, "b", "en", "versions", """
‹upgrade|downgrade› from [[#ver4]] ‹to|→› [[#ver4]]
assembly Foo.Bar, Version=[[#ver4]]
section [[#ver4]] of the ‹standard|manual›
"version": "[[#ver4]]"
<Version>[[#ver4]]</Version>
aws sts: "Account": "[[#uidlike]]"
role arn:aws:iam::[[#uidlike]]:role/‹ci|deploy›
gs://export-[[#uidlike]]/part-0001
submodule url = git@‹git.example.org|github.com›:‹libs|tools›/‹core|ui›.git
GIT_SSH_COMMAND=ssh git ls-remote git@‹codeberg.org|gitea.corp.io›:‹me|ops›/x.git
""")

# Four-part versions below 256 are decided by the words around them only.
for key, table in (("numbers", NEG["b", "en", "numbers"]), ("numbers", NEG["b", "de", "numbers"])):
    for t in [t for t in table if "[[#ver4]]" in t]:
        table.remove(t)
