"""Word lists of the PII set."""

FIRST = """Aarav Ananya Rohan Priya Vikram Meera Kabir Sneha Arjun Divya Farhan Zoya Imran Ayesha Harpreet Gurleen Manpreet Karthik Lakshmi Senthil
Kavitha Suresh Revathi Anil Deepa Nikhil Pooja Siddharth Ritu Tapan Moumita Sourav Debjani Bhavesh Hetal Jignesh Komal Mahesh Swati Prakash Sunita
Joseph Mariam Thomas Anjali Biju Sindhu Gopal Usha Naveen Shruti Omkar Tanvi Yash Ira Lukas Anna Felix Clara Pierre Camille Hugo Lucia Diego Elena
Marta Paolo Giulia Sven Ingrid Emily Oliver Grace Noah Chloe Wei Mei Kenji Yuki Omar Layla Ivan Olga""".split()
LAST = """Sharma Verma Iyer Nair Menon Reddy Rao Naidu Gowda Patil Deshmukh Kulkarni Joshi Shah Patel Mehta Desai Singh Kaur Gill Khan Ansari Sheikh Das
Bose Banerjee Ghosh Mukherjee Sahoo Mohanty Pradhan Pillai Varghese Kurian Subramanian Raman Chettiar Yadav Mishra Tiwari Gupta Agarwal Bansal Saxena
Thakur Chauhan Rathore Bhat Hegde Shetty Fernandes Souza Mueller Schmidt Weber Fischer Dubois Martin Laurent Garcia Lopez Romero Rossi Bianchi Larsen
Smith Jones Brown Taylor Chen Wang Tanaka Suzuki Haddad Petrov""".split()
CITIES_EN = """Mumbai Pune Nagpur Chennai Madurai Coimbatore Kolkata Siliguri Hyderabad Warangal Bengaluru Mysuru Kochi Kozhikode Ahmedabad Surat Rajkot Ludhiana
Amritsar Bhubaneswar Cuttack Lucknow Kanpur Varanasi Jaipur Udaipur Indore Bhopal Patna Ranchi Guwahati Panaji Shimla Dehradun Delhi Gurugram Noida""".split()
TAGS = "news shop bills test spam promo 2024 amazon jobs alerts gst".split()
ROLES = "info sales support contact hr accounts careers billing admin office helpdesk enquiry reservations grievance dpo legal noreply".split()
MAIL_DOMAINS = """gmail.com yahoo.co.in outlook.com rediffmail.com hotmail.com protonmail.com icloud.com yahoo.com zoho.in live.com gmx.de web.de orange.fr
free.fr libero.it telefonica.es nic.in gov.in iitb.ac.in du.ac.in sbi.co.in fastmail.fm qq.com 163.com naver.com mail.ru ymail.com aol.com""".split()
COMPANY = """acmetextiles bluelotus shaktisteel northwind rangoli vistaar kaveri zenmart pixelforge saffronfoods ledgerly quickkart medisetu agrobharat
finspire trailhead lumen orbitlabs hansen-logistik maison-verte soluciones greenfield tigerlily monsoonmedia dakshin""".split()
TLDS = [".com", ".in", ".co.in", ".org", ".io", ".net", ".de", ".fr", ".es", ".co.uk", ".ai", ".dev", ".co", ".shop", ".store", ".tech", ".info", ".bank", ".museum", ".app"]
SHOPS = "srikrishna balajistores royaltailors annapurna ganeshkirana cafemocha newlight bharatmedicals apnabazaar sagarhotel truevalue ladlibakery".split()
STD_CODES = """011 022 033 044 040 080 020 079 0120 0124 0141 0161 0172 0183 0212 0240 0253 0261 0265 0281 0422 0431 0452 0471 0484 0495 0512 0522 0532
0542 0551 0562 0612 0651 0657 0671 0674 0712 0721 0731 0751 0755 0761 0771 0821 0824 0831 0832 0836 0866 0870 0877 0891 01892 02554 04562 08192 05942 03592""".split()
GST_STATES = ["%02d" % n for n in list(range(1, 28)) + list(range(29, 39))]
STATES = "AN AP AR AS BR CG CH DD DL GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD PB PY RJ SK TN TR TS UK UP WB".split()
IFSC_BANKS = """SBIN HDFC ICIC UTIB PUNB CNRB BARB KKBK UBIN IDIB YESB INDB IOBA FDRL SIBL KARB BKID MAHB CBIN UCBA PSIB IDFB BDBL AUBL RATN CIUB TMBL KVBL
DBSS HSBC SCBL CITI DLXB JAKA NKGS SVCB COSB AIRP PYTM FINO ESFB USFB JSFB""".split()
UPI_HANDLES = """okaxis okhdfcbank okicici oksbi ybl ibl axl paytm upi apl sbi hdfcbank icici axisbank kotak pnb barodampay unionbankofindia idfcbank indus
yesbank federal cnrb ptyes ptaxis pthdfc ptsbi waicici wahdfcbank waaxis wasbi freecharge airtel jupiteraxis fam yapl rapl naviaxis axisb slice
superyes timecosmos tapicici dbs rbl aubank kbl idbi uco mahb boi centralbank ikwik abfspay hsbc sc citi pingpay yescred yesg goaxb shriramhdfcbank postbank""".split()

PHONE_WORLD = [
    ("US", ["(NXX) NXX-XXXX", "+1 NXX-NXX-XXXX", "+1 (NXX) NXX-XXXX", "NXX-NXX-XXXX", "+1NXXNXXXXXX", "NXX.NXX.XXXX", "1-NXX-NXX-XXXX"]),
    ("GB", ["+44 20 7XXX XXXX", "+44 7NXX XXXXXX", "020 7XXX XXXX", "+447NXXXXXXXX", "07NXX XXXXXX", "+44 (0)161 XXX XXXX"]),
    ("DE", ["+49 30 NXXXXXXX", "+49 151 NXXXXXXX", "0151 NXXXXXXX", "+49 (0)89 NXXXXXX", "030 / NXX XX XX", "0049 40 NXXXXXX"]),
    ("FR", ["+33 6 XX XX XX XX", "06 XX XX XX XX", "01 4X XX XX XX", "+33612XXXXXX", "0033 1 4X XX XX XX", "06.XX.XX.XX.XX"]),
    ("ES", ["+34 6XX XXX XXX", "+34 91 NXX XX XX", "6XX XX XX XX", "+346XXXXXXXX", "0034 93 NXX XX XX"]),
    ("IT", ["+39 3NX XXX XXXX", "+39 02 NXXX XXXX", "+39 06 NXXXXXX", "3NX XXXXXXX"]),
    ("NL", ["+31 6 NXXX XXXX", "+31 20 NXX XXXX", "06-NXXXXXXX", "0031 6 NXXXXXXX"]),
    ("BE", ["+32 4NX XX XX XX", "+32 2 NXX XX XX", "04NX/XX XX XX"]),
    ("CH", ["+41 79 NXX XX XX", "+41 44 NXX XX XX", "079 NXX XX XX"]),
    ("AT", ["+43 1 NXXXXXX", "+43 664 NXXXXXX", "0664 NXXXXXX"]),
    ("SE", ["+46 70 NXX XX XX", "+46 8 NXX XXX XX", "070-NXX XX XX"]),
    ("NO", ["+47 9XX XX XXX", "+47 22 XX XX XX"]),
    ("PL", ["+48 5XX XXX XXX", "+48 22 NXX XX XX", "0048 6XXXXXXXX"]),
    ("PT", ["+351 91X XXX XXX", "+351 21X XXX XXX"]),
    ("BR", ["+55 11 9XXXX-XXXX", "(21) 9XXXX-XXXX", "+55 (31) 3NXX-XXXX"]),
    ("MX", ["+52 55 NXXX XXXX", "+52 1 33 NXXX XXXX"]),
    ("AR", ["+54 9 11 NXXX-XXXX", "+54 11 NXXX-XXXX"]),
    ("AE", ["+971 50 XXX XXXX", "+971 4 XXX XXXX", "+97155XXXXXXX", "00971 50 XXX XXXX"]),
    ("SA", ["+966 5X XXX XXXX", "+966 11 XXX XXXX"]),
    ("QA", ["+974 3XXX XXXX", "+974 5XXX XXXX"]),
    ("SG", ["+65 9XXX XXXX", "+65 6XXX XXXX", "+6581XXXXXX"]),
    ("MY", ["+60 12-XXX XXXX", "+60 3-NXXX XXXX"]),
    ("ID", ["+62 812-XXXX-XXXX", "+62 21 NXXX XXXX"]),
    ("TH", ["+66 8X XXX XXXX", "+66 2 XXX XXXX"]),
    ("VN", ["+84 9X XXX XX XX", "+84 28 NXXX XXXX"]),
    ("PH", ["+63 917 XXX XXXX", "+63 2 8XXX XXXX"]),
    ("CN", ["+86 138 XXXX XXXX", "+86 10 NXXX XXXX", "+86 139XXXXXXXX"]),
    ("JP", ["+81 90-XXXX-XXXX", "+81 3-NXXX-XXXX", "090-NXXX-XXXX"]),
    ("KR", ["+82 10-NXXX-XXXX", "+82 2-NXX-XXXX"]),
    ("AU", ["+61 4XX XXX XXX", "+61 2 9XXX XXXX", "04XX XXX XXX"]),
    ("NZ", ["+64 21 XXX XXXX", "+64 9 XXX XXXX"]),
    ("ZA", ["+27 82 XXX XXXX", "+27 11 XXX XXXX"]),
    ("NG", ["+234 803 XXX XXXX", "+234 1 NXX XXXX"]),
    ("KE", ["+254 7XX XXXXXX", "+254 20 NXX XXXX"]),
    ("BD", ["+880 17XX-XXXXXX", "+880 2 NXXXXXXX"]),
    ("LK", ["+94 77 XXX XXXX", "+94 11 2XX XXXX"]),
    ("NP", ["+977 98XXXXXXXX", "+977 1-4XXXXXX"]),
    ("PK", ["+92 300 XXXXXXX", "+92 42 3XXX XXXX"]),
    ("TR", ["+90 532 XXX XX XX", "+90 212 NXX XX XX"]),
    ("RU", ["+7 916 XXX-XX-XX", "+7 (495) NXX-XX-XX", "8 (903) XXX-XX-XX"]),
    ("IL", ["+972 54-XXX-XXXX", "+972 3-NXX-XXXX"]),
    ("EG", ["+20 10 XXXX XXXX", "+20 2 NXXX XXXX"]),
]

_n, _a, _c = "n", "a", "c"
IBAN_SHAPES = [(c, [(p[0], p[1:]) for p in s.split()]) for c, s in [
    ("DE", "n18"), ("FR", "n10 c11 n2"), ("GB", "a4 n14"), ("AE", "n3 n16"), ("NL", "a4 n10"), ("ES", "n20"), ("IT", "a1 n10 c12"), ("BE", "n12"), ("CH", "n5 c12"),
    ("AT", "n16"), ("SA", "n2 c18"), ("PL", "n24"), ("PT", "n21"), ("SE", "n20"), ("NO", "n11"), ("DK", "n14"), ("FI", "n14"), ("IE", "a4 n14"), ("LU", "n3 c13"),
    ("CZ", "n20"), ("QA", "a4 c21"), ("HU", "n24"), ("RO", "a4 c16"), ("GR", "n7 c16"), ("HR", "n17"), ("SK", "n20"), ("BG", "a4 n6 c8"), ("TR", "n5 n1 c16"), ("KW", "a4 c22"),
    ("BH", "a4 c14"), ("PK", "a4 c16"), ("IL", "n19"), ("EE", "n16"), ("LT", "n16"), ("LV", "a4 c13"), ("MT", "a4 n5 c18"), ("CY", "n8 c16"), ("SI", "n15"), ("BR", "n23 a1 c1"), ("JO", "a4 n4 c18"),
]]

# Field names of records, by maker. The language follows the key.
KEYS = {
    "email": ["email", "mail", "e_mail", "contact_email", "user email", "email_address", "from", "primaryEmail", "mailto", "reply to"],
    "phone": ["phone", "mobile", "contact_no", "tel", "phone_number", "mobile no", "whatsapp", "alt_phone", "cell", "msisdn", "callback number", "caller", "telephone"],
    "aadhaar": ["aadhaar", "aadhaar_no", "uid", "aadhar", "aadhaar number", "aadhaarNumber", "uidai_no", "adhaar_card"],
    "pan": ["pan", "pan_no", "panNumber", "pan card", "permanent account number", "tax_pan"],
    "gstin": ["gstin", "gst_no", "gst", "gstNumber", "supplier gstin", "GSTIN/UIN", "tax_id"],
    "ifsc": ["ifsc", "ifsc_code", "IFSC", "bank ifsc", "ifscCode", "branch_code"],
    "upi": ["upi", "vpa", "upi_id", "upiId", "payee vpa", "payment_address"],
    "voter": ["voter_id", "epic", "epic_no", "voterId", "election card", "EPIC number"],
    "passport": ["passport", "passport_no", "passportNumber", "travel_document", "passport number", "ppt_no"],
    "dl": ["dl", "dl_no", "driving_licence", "licence_no", "driving license", "drivingLicence", "license_number"],
    "vehicle": ["vehicle", "vehicle_no", "reg_no", "registration number", "vehicleNumber", "number_plate", "rc_no", "car no"],
    "card": ["card", "card_number", "cc", "cardNumber", "credit card", "debit_card", "payment card"],
    "iban": ["iban", "IBAN", "bank_iban", "account iban", "ibanNumber", "konto"],
    "ssn": ["ssn", "social_security", "SSN", "social security number", "ssn_no"],
    "ip": ["ip", "client_ip", "remote_addr", "ipAddress", "source ip", "host", "x-forwarded-for", "peer"],
    "secret": ["token", "api_key", "secret", "access_token", "apiKey", "auth token", "key", "client_secret"],
    "generic": ["secret_key", "client_secret", "api_secret", "auth_token", "encryption_key", "apiSecret", "signing_secret", "aws_secret_access_key"],
    "password": ["password", "db_password", "pwd", "passwd", "smtp_password", "passphrase"],
}
# Fields which are no entity.
PLAIN_FIELDS = {
    "name": "#name", "city": "#city", "status": "#status", "amount": "#amount", "id": "#small", "created_at": "#stamp", "notes": "#note", "dob": "#date", "qty": "#small",
    "order_id": "#ordid", "plan": "#plan", "sku": "#sku", "uuid": "#uuid", "epoch": "#epoch", "version": "#semver", "lat": "#lat", "pincode": "#pin", "score": "#dec", "hash": "#md5",
}
STATUS = ["active", "pending", "KYC done", "closed", "verified", "on hold", "new", "won", "lost"]
NOTES = ["call after 6", "prefers WhatsApp", "wants a demo", "asked for invoice", "left a message", "new lead from fair", "follow up Monday", "VIP", "duplicate?"]
PLANS = ["gold", "starter", "pro annual", "free", "enterprise"]
BANKS = ["SBI", "HDFC Bank", "ICICI", "Canara Bank", "Kotak", "Axis Bank", "PNB", "Bank of Baroda"]
PRODUCTS = ["cotton sarees", "LED bulbs", "water purifiers", "mobile covers", "organic ghee", "office chairs", "steel bottles", "study lamps", "yoga mats", "school bags"]
