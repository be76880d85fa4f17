#!/usr/bin/env python3
"""Writes the PII evaluation set as JSON lines: pii.py --seed 1 --count 3000 [--half a|b]."""

import argparse
import base64
import json
import random
import re
import string

import checks
import pii_templates as T
import pii_templates_more  # noqa: F401  adds to the tables of pii_templates
import pii_values as V
import pii_words as W

TYPE_OF = {
    "email": "EMAIL", "phone": "PHONE", "aadhaar": "IN_AADHAAR", "pan": "IN_PAN", "gstin": "IN_GSTIN", "ifsc": "IN_IFSC", "upi": "IN_UPI", "voter": "IN_VOTER_ID",
    "passport": "IN_PASSPORT", "dl": "IN_DRIVING_LICENCE", "vehicle": "IN_VEHICLE_REG", "card": "CREDIT_CARD", "iban": "IBAN", "ssn": "US_SSN", "ip": "IP_ADDRESS", "secret": "SECRET",
}
HEX = "0123456789abcdef"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Line:
    def __init__(self):
        self.text, self.entities, self.optional = "", [], []

    def add(self, text, kind=None):
        if kind == "?":
            self.optional.append({"start": len(self.text), "end": len(self.text) + len(text)})
        elif kind:
            self.entities.append({"type": kind, "start": len(self.text), "end": len(self.text) + len(text), "text": text})
        self.text += text

    def extend(self, segments):
        for text, kind in segments:
            self.add(text, kind)


def group_indian(n):
    s = str(n)
    head, tail = s[:-3], s[-3:]
    parts = []
    while len(head) > 2:
        parts.insert(0, head[-2:])
        head = head[:-2]
    if head:
        parts.insert(0, head)
    return ",".join(parts + [tail]) if parts else tail


def wrong(r, text, alphabet, at=-1):
    """The same text with another check character."""
    i = at % len(text)
    return text[:i] + r.choice([c for c in alphabet if c != text[i]]) + text[i + 1:]


def bad_aadhaar(r):
    d = wrong(r, V.aadhaar_digits(r), string.digits)
    return V.groups(d, (4, 4, 4), r.choice([" ", " ", "", "-"])) if not (d.startswith("91") and d[2] in "6789") else bad_aadhaar(r)


def bad_card(r):
    d = wrong(r, V.card_digits(r), string.digits)
    return V.groups(d, (4, 4, 4, 4), r.choice([" ", "", "-"]))


def bad_iban(r):
    t = V.iban_text(r)
    t = t[:2] + "%02d" % ((int(t[2:4]) + r.randint(1, 60)) % 97 + 2) + t[4:]
    return bad_iban(r) if checks.iban_valid(t) else (V.groups(t, (4,) * 9, " ") if r.random() < .4 else t)


def native(r, look, text):
    script = checks.SCRIPT_OF_LANG.get(look.lang)
    return checks.in_script(text, script) if script and r.random() < .8 else text


def date(r):
    d, m, y = r.randint(1, 28), r.randint(1, 12), r.randint(2018, 2027)
    return r.choice([f"{d:02d}/{m:02d}/{y}", f"{y}-{m:02d}-{d:02d}", f"{d} {MONTHS[m - 1]} {y}", f"{d:02d}-{m:02d}-{y}", f"{d:02d}.{m:02d}.{y}"])


FILLERS = {
    "name": lambda r, k: " ".join(V.name(r)), "first": lambda r, k: r.choice(W.FIRST), "last": lambda r, k: r.choice(W.LAST), "city": lambda r, k: r.choice(W.CITIES_EN),
    "company": lambda r, k: r.choice(W.COMPANY).replace("-", " ").title() + r.choice([" Pvt Ltd", " LLP", "", " Traders", " GmbH" if k.lang == "de" else ""]), "bank": lambda r, k: r.choice(W.BANKS),
    "int": lambda r, k: str(r.randint(100, 99999)), "small": lambda r, k: str(r.randint(2, 999)), "date": lambda r, k: date(r), "dmy": lambda r, k: f"{r.randint(1, 28):02d}/{r.randint(1, 12):02d}/2{r.randint(3, 6)}",
    "time": lambda r, k: f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}", "mmyy": lambda r, k: f"{r.randint(1, 12):02d}/{r.randint(26, 33)}", "cvv": lambda r, k: V.digits(r, 3),
    "stamp": lambda r, k: f"20{r.randint(23, 26)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}{r.choice(' T')}{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}" + r.choice(["", "Z", ".%03d" % r.randint(0, 999), "+05:30"]),
    "clf": lambda r, k: f"[{r.randint(1, 28):02d}/{r.choice(MONTHS)}/2025:{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d} +0530]",
    "port": lambda r, k: str(r.randint(1024, 65535)), "status": lambda r, k: r.choice(W.STATUS), "note": lambda r, k: r.choice(W.NOTES), "plan": lambda r, k: r.choice(W.PLANS),
    "amount": lambda r, k: r.choice([str(r.randint(100, 99999)), f"{r.randint(100, 99999)}.{r.randint(0, 99):02d}", group_indian(r.randint(1000, 9999999))]), "dec": lambda r, k: f"{r.randint(1, 9999)}.{r.randint(0, 99):02d}",
    "ordid": lambda r, k: r.choice(["ORD-" + V.digits(r, 6), "OD" + V.digits(r, 18), V.digits(r, 7, "12345"), "#" + V.digits(r, 5)]), "sku": lambda r, k: V.run(r, V.UPPER, 2) + "-" + V.digits(r, 4) + "-" + r.choice(["BLK", "RED", "XL"]),
    "uuid": lambda r, k: "-".join(V.run(r, HEX, n) for n in (8, 4, 4, 4, 12)), "epoch": lambda r, k: str(r.randint(1600000000, 1799999999)), "millis": lambda r, k: str(r.randint(1600000000000, 1799999999999)),
    "semver": lambda r, k: f"{r.randint(0, 20)}.{r.randint(0, 30)}.{r.randint(0, 99)}", "ver4": lambda r, k: r.choice([f"{r.randint(1, 12)}.{r.randint(0, 9)}.{r.randint(0, 250)}.{r.randint(0, 250)}", f"10.0.{r.randint(10000, 22999)}.{r.randint(1, 4000)}"]),
    "v4": lambda r, k: str(r.randint(1000, 9999)), "lat": lambda r, k: f"{r.randint(8, 34)}.{V.digits(r, r.choice([4, 6, 7]))}", "lon": lambda r, k: f"{r.randint(68, 97)}.{V.digits(r, r.choice([4, 6, 7]))}",
    "pin": lambda r, k: V.digits(r, 6, "12345678"), "md5": lambda r, k: V.run(r, HEX, 32), "sha1": lambda r, k: V.run(r, HEX, 40), "sha256": lambda r, k: V.run(r, HEX, 64), "hex16": lambda r, k: V.run(r, HEX, 16), "hex32": lambda r, k: V.run(r, HEX, 32),
    "hex6": lambda r, k: V.run(r, HEX, 6), "inv": lambda r, k: r.choice([f"INV/{r.randint(23, 26)}-{r.randint(24, 27)}/{V.digits(r, 4)}", "RG" + V.digits(r, 6), f"{V.digits(r, 3)}-{V.digits(r, 7)}-{V.digits(r, 7)}", V.digits(r, 8, "1234")]),
    "track": lambda r, k: r.choice(["1Z" + V.run(r, V.UPPER + V.DIGITS, 16), V.digits(r, 12, "01"), "EK" + V.digits(r, 9) + "IN", V.digits(r, 14, "1"), V.digits(r, 11, "1357"), "SF" + V.digits(r, 13)]),
    "oid": lambda r, k: "1.3.6.1.4.1." + ".".join(str(r.randint(1, 9999)) for _ in range(r.randint(2, 6))), "isbn": lambda r, k: isbn13(r), "isbn10": lambda r, k: V.groups(V.digits(r, 9), (1, 4, 4), "-") + "-" + r.choice("0123456789X"),
    "ean": lambda r, k: (lambda b: b + checks.ean13_digit(b))("890" + V.digits(r, 9)), "acct": lambda r, k: V.digits(r, 12, "01"), "lakh": lambda r, k: group_indian(r.randint(1000, 999999999)), "big": lambda r, k: f"{r.randint(10**6, 10**10):,}",
    "badgstin": lambda r, k: wrong(r, V.gstin_text(r), string.digits + string.ascii_uppercase), "badaadhaar": lambda r, k: bad_aadhaar(r), "badcard": lambda r, k: bad_card(r), "badiban": lambda r, k: bad_iban(r),
    "d1": lambda r, k: V.digits(r, 1), "d2": lambda r, k: "2" + V.digits(r, 1), "d3": lambda r, k: V.digits(r, 3), "d4": lambda r, k: V.digits(r, 4), "d7": lambda r, k: V.digits(r, 7), "d10": lambda r, k: V.digits(r, 10), "d12": lambda r, k: V.digits(r, 12),
    "d15": lambda r, k: V.digits(r, 15), "d18": lambda r, k: V.digits(r, 18), "long": lambda r, k: V.digits(r, r.choice([11, 17, 18, 20]), "1"), "long24": lambda r, k: V.run(r, HEX, 24),
    "b64long": lambda r, k: base64.b64encode(bytes(r.getrandbits(8) for _ in range(64))).decode().rstrip("="), "dump": lambda r, k: " ".join(V.run(r, HEX, 2) for _ in range(16)),
    "mob10": lambda r, k: V.digits(r, 10, "6789"), "acc": lambda r, k: V.digits(r, r.choice([11, 14, 16, 10]), "123456789"), "uidlike": lambda r, k: V.aadhaar_digits(r), "epiclike": lambda r, k: V.run(r, V.UPPER, 3) + V.digits(r, 7),
    "passlike": lambda r, k: r.choice("ABCDEFGHJKLMNPRSTUVWXY") + r.choice("123456789") + V.digits(r, 6), "panlike": lambda r, k: V.pan_text(r), "vehlike": lambda r, k: f"{r.choice(W.STATES)}{r.randint(10, 60)}{V.run(r, 'ABCDEFG', 2)}{V.digits(r, 4)}",
    "ssnlike": lambda r, k: f"{r.randint(100, 600)}-{r.randint(10, 99)}-{V.digits(r, 4, '123456789')}", "cardlike": lambda r, k: V.card_digits(r),
    "nint": lambda r, k: native(r, k, r.choice([str(r.randint(100, 99999)), group_indian(r.randint(1000, 9999999))])), "ndate": lambda r, k: native(r, k, f"{r.randint(1, 28):02d}{(s := r.choice('/-.'))}{r.randint(1, 12):02d}{s}{r.randint(2020, 2027)}"),
    "ntime": lambda r, k: native(r, k, f"{r.randint(1, 12)}:{r.randint(0, 59):02d}"), "nbig": lambda r, k: native(r, k, group_indian(r.randint(10**5, 10**9))), "npin": lambda r, k: native(r, k, V.digits(r, 6, "12345678")), "nsmall": lambda r, k: native(r, k, str(r.randint(2, 400))),
    "nmob": lambda r, k: native(r, k, V.digits(r, 10, "6789")),
}


def isbn13(r):
    body = r.choice(["978", "979"]) + V.digits(r, 9)
    body += checks.ean13_digit(body)
    return r.choice([body, V.groups(body, (3, 1, 4, 4, 1), "-"), V.groups(body, (3, 2, 5, 2, 1), "-")])


SLOT = re.compile(r"\[\[(#?[a-z0-9]+)\]\]")


def choose(r, template):
    while "‹" in template:
        template = re.sub("‹([^‹›]*)›", lambda m: r.choice(m[1].split("|")), template, count=1)
    return re.sub(" +\n", "\n", template)


def render(r, template, look, line=None):
    line = line or Line()
    template, at = choose(r, template), 0
    for m in SLOT.finditer(template):
        line.add(template[at:m.start()])
        name = m[1]
        if name.startswith("#"):
            line.add(FILLERS[name[1:]](r, look))
        else:
            line.extend(V.MAKERS[name](r, look))
        at = m.end()
    line.add(template[at:])
    return line


# ---------------------------------------------------------------- records: fields in a file format

def styled(r, key):
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", key).lower().replace(" ", "_").replace("-", "_").split("_")
    return r.choice([lambda: "_".join(words), lambda: words[0] + "".join(w.title() for w in words[1:]), lambda: "-".join(words), lambda: " ".join(w.title() for w in words), lambda: key, lambda: "_".join(words).upper()])()


def fields(r, look, most=5):
    weights = {"email": 5, "phone": 6, "aadhaar": 4, "pan": 4, "gstin": 3, "ifsc": 3, "upi": 4, "voter": 2.6, "passport": 2.6, "dl": 3, "vehicle": 3, "card": 3, "iban": 3, "ssn": 2.2, "ip": 3, "secret": 2, "generic": .8, "password": .8}
    makers = list(weights)
    chosen = []
    for _ in range(r.randint(1, most)):
        maker = r.choices(makers, [weights[m] for m in makers])[0]
        if maker not in chosen:
            chosen.append(maker)
    plain = r.sample(list(W.PLAIN_FIELDS), r.randint(0, 4))
    out = [(V.pick(r, W.KEYS[m], look.half), m) for m in chosen] + [(p, W.PLAIN_FIELDS[p]) for p in plain]
    r.shuffle(out)
    return out


def put(r, line, what, look):
    render(r, f"[[{what}]]", look, line)


def record(r, look):
    forms = ["json", "csv", "kv", "yaml", "sql", "table", "labels", "jsonlist"] if look.half == "a" else ["json", "csv", "kv", "yaml", "sql", "table", "labels", "xml", "toml", "nested", "tsv", "logfmt", "toolcall", "htmltable", "ini", "query", "python", "labels"]
    form = r.choice(forms)
    style = r.random()
    rows = [( styled(r, k) if style < .8 else k, m) for k, m in fields(r, look)]
    # a bare native-digit or split value inside a machine format is unusual
    inner = V.Look(look.lang, look.half, plain=r.random() < .8)
    line = Line()
    q = "'" if form == "sql" else '"'

    def each(sep, before, after):
        for i, (key, maker) in enumerate(rows):
            if i:
                line.add(sep)
            line.add(before(key))
            put(r, line, maker, inner)
            line.add(after(key))

    if form in ("json", "nested", "toolcall"):
        space = r.choice(["", " "])
        if form == "nested":
            line.add('{"' + r.choice(["customer", "lead", "data", "applicant"]) + '":' + space)
        if form == "toolcall":
            line.add('{"name":"' + r.choice(["update_crm", "book_ticket", "create_invoice", "lookup"]) + '","arguments":')
        nl = r.choice(["", "", "\n  "])
        line.add("{" + nl)
        each("," + (nl or space), lambda k: f'"{k}":{space}"', lambda k: '"')
        line.add((nl and "\n") + "}")
        if form != "json":
            line.add("}")
    elif form == "jsonlist":
        line.add("[")
        for i in range(r.randint(1, 3)):
            if i:
                line.add(",")
            line.add("{")
            each(",", lambda k: f'"{k}":"', lambda k: '"')
            line.add("}")
        line.add("]")
    elif form in ("csv", "tsv", "table", "htmltable"):
        sep = {"csv": r.choice([",", ",", ";", ", "]), "tsv": "\t", "table": " | ", "htmltable": "</td><td>"}[form]
        start, end = {"table": ("| ", " |"), "htmltable": ("<tr><td>", "</td></tr>")}.get(form, ("", ""))
        line.add(start + sep.join(k for k, _ in rows) + end + "\n")
        if form == "table":
            line.add("|" + "---|" * len(rows) + "\n")
        for i in range(r.randint(1, 3)):
            line.add(start)
            quote = '"' if form == "csv" and any(m in ("#amount", "#name") for _, m in rows) else ""
            each(sep, lambda k: quote, lambda k: quote)
            line.add(end + "\n")
    elif form == "kv":
        each(r.choice([" ", "; ", ", ", "&", "\n"]), lambda k: k.replace(" ", "_") + "=", lambda k: "")
    elif form == "logfmt":
        line.add(f"ts={FILLERS['stamp'](r, look).replace(' ', 'T')} level={r.choice(['info', 'warn'])} msg=\"{r.choice(['record saved', 'lookup', 'sync'])}\" ")
        each(" ", lambda k: k.replace(" ", "_").lower() + '="', lambda k: '"')
    elif form == "yaml":
        indent = r.choice(["", "  "])
        if indent:
            line.add(r.choice(["user:", "contact:", "- entry:"]) + "\n")
        quote = r.choice(["", '"', "'"])
        each("\n", lambda k: f"{indent}{k}: {quote}", lambda k: quote)
    elif form == "sql":
        line.add("INSERT INTO " + r.choice(["users", "leads", "kyc", "vendors"]) + " (" + ", ".join(k.replace(" ", "_").replace("-", "_") for k, _ in rows) + ") VALUES (")
        each(", ", lambda k: q, lambda k: q)
        line.add(");")
    elif form == "labels":
        sep, colon = r.choice(["\n", " | ", ", ", "\n", "; "]), r.choice([": ", " - ", ": ", " : ", " = "])
        each(sep, lambda k: k + colon, lambda k: "")
    elif form == "xml":
        line.add("<record>")
        tag = lambda k: k.replace(" ", "").replace("/", "")
        each("", lambda k: f"<{tag(k)}>", lambda k: f"</{tag(k)}>")
        line.add("</record>")
    elif form in ("toml", "ini"):
        line.add("[" + r.choice(["owner", "profile", "site"]) + "]\n")
        quote = '"' if form == "toml" else ""
        each("\n", lambda k: k.replace(" ", "_") + " = " + quote, lambda k: quote)
    elif form == "query":
        line.add("GET /api/v1/" + r.choice(["kyc", "search", "pay"]) + "?")
        each("&", lambda k: k.replace(" ", "_").lower() + "=", lambda k: "")
        line.add(" HTTP/1.1")
    elif form == "python":
        line.add(r.choice(["row = ", "Customer(**", "print("]) + "{")
        each(", ", lambda k: f"'{k}': '", lambda k: "'")
        line.add("}")
    return line, "record_" + form


# ---------------------------------------------------------------- label and value, for the types that need a word

LABELS = {
    "a": {"aadhaar": ["Aadhaar", "Aadhaar No", "UID"], "pan": ["PAN", "PAN No."], "voter": ["Voter ID", "EPIC"], "passport": ["Passport", "Passport No."], "dl": ["DL No", "Driving licence"], "vehicle": ["Vehicle no.", "Reg. No."],
          "ssn": ["SSN", "Social Security"], "iban": ["IBAN"], "card": ["Card", "Credit card no."], "ifsc": ["IFSC", "IFSC code"], "gstin": ["GSTIN", "GST No."], "upi": ["UPI", "UPI ID"], "phone": ["Phone", "Mob", "Tel"], "email": ["Email", "Mail id"], "ip": ["IP", "Client IP"], "secret": ["API key", "Token"]},
    "b": {"aadhaar": ["Aadhar card", "Adhaar", "UIDAI number", "aadhaar id"], "pan": ["Permanent Account Number", "pan card no"], "voter": ["Election Card", "Voter card no", "EPIC No."], "passport": ["Passport #", "PP No", "Travel document (passport)"], "dl": ["License", "Licence No", "D/L"],
          "vehicle": ["Registration", "Car number", "Number plate", "RC"], "ssn": ["SS#", "Soc. Sec. No."], "iban": ["Bank account (IBAN)", "Konto IBAN"], "card": ["Debit card", "CC#", "Card number"], "ifsc": ["Branch IFSC", "IFS code"], "gstin": ["GST", "GST Registration"], "upi": ["VPA", "GPay/PhonePe"],
          "phone": ["Ph", "Contact", "Cell", "WhatsApp", "Helpdesk", "☎"], "email": ["E-mail ID", "Email address", "✉"], "ip": ["Host", "Remote address", "from IP"], "secret": ["Access token", "secret", "bearer"]},
}
TAILS = {"a": ["", ".", " (verified)", ", thanks", " - please check", "\n"], "b": ["", " ✓", ";", " — copy attached", " as per records", " ok?", " (old)", "..."]}
HEADS = {"a": ["", "", "[[#name]], ", "Re: KYC. ", "1. "], "b": ["", "", "• ", "Sub: update request – ", "[[#company]] / ", "(c) ", "> ", "For your reference, "]}


def labelled(r, look):
    maker = r.choice(list(LABELS[look.half]))
    label = r.choice(LABELS[look.half][maker])
    if r.random() < .2:
        label = r.choice([label.lower(), label.upper()])
    colon = r.choice([": ", ":", " ", " - ", " no ", " is ", "-", " = "] if look.half == "a" else [": ", " → ", " :- ", " # ", " (", ":\n", " is: ", "\t"])
    close = ")" if colon == " (" else ""
    return render(r, r.choice(HEADS[look.half]) + label + colon + f"[[{maker}]]" + close + r.choice(TAILS[look.half]), look), "label_" + maker


def long_document(r, look):
    """Several lines of one language, entities in a few of them, negatives between."""
    line = Line()
    langs = ["en"] * 4 + ["hi", "ta", "bn", "mr", "hi-Latn"]
    for i in range(r.randint(4, 12)):
        lang = r.choice(langs)
        k = V.Look(lang, look.half)
        table = T.NEG if r.random() < .5 else T.POS
        keys = [x for x in table if x[0] == look.half and x[1] == lang and x[2] in ("chat", "prose", "numbers", "text", "log")]
        if i:
            line.add(r.choice(["\n", "\n", "\n\n", " / "]))
        render(r, r.choice(table[r.choice(keys)]), k, line)
    return line, "document"


LANG_WEIGHT = {"en": 5.5, "hi": 3.2, "ta": 2, "bn": 2, "te": 1.8, "mr": 1.6, "gu": 1.4, "kn": 1.4, "ml": 1.4, "hi-Latn": 1.5, "mixed": 1.5, "as": .6, "ne": .6, "de": .9, "fr": .8, "es": .8, "it": .6, "nl": .6, "pt": .6}


def from_table(r, table, half):
    keys = [k for k in table if k[0] == half and table[k]]
    key = r.choices(keys, [LANG_WEIGHT.get(k[1], 1) * (1 if k[1] != "en" else .3 + len(table[k]) / 12) for k in keys])[0]
    look = V.Look("hi" if key[1] == "mixed" and r.random() < .3 else key[1], half)
    return render(r, r.choice(table[key]), look), key[2], key[1]


def negative(r, half):
    line, family, lang = from_table(r, T.NEG, half)
    if r.random() < .12:
        other, _, _ = from_table(r, T.NEG, half)
        line.add("\n")
        line.add(other.text)
    return line, family, lang


def make(r, half, tier):
    if tier == "pos":
        y = r.random()
        if y < .27:
            k = V.Look("en", half)
            line, family = record(r, k)
            lang = "en"
        elif y < .40:
            line, family = labelled(r, V.Look("en", half))
            lang = "en"
        elif y < .44:
            line, family = long_document(r, V.Look("en", half))
            lang = "mixed"
        else:
            line, family, lang = from_table(r, T.POS, half)
        if not line.entities:
            return make(r, half, tier)
    elif tier == "hardneg":
        line, family, lang = negative(r, half)
    else:
        line, family, lang = from_table(r, T.CTX, half)
    return line, family, lang


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=3000)
    p.add_argument("--half", choices=["a", "b"], default="a")
    args = p.parse_args()
    r = random.Random(f"pii-{args.seed}-{args.half}")
    seen, n = set(), 0
    while n < args.count:
        # tiers by turns: 60 % lines with entities, 30 % hard negatives, 10 % negatives by context
        tier = ("pos", "hardneg", "pos", "pos", "hardneg", "pos", "hardneg_ctx", "pos", "hardneg", "pos")[n % 10]
        line, family, lang = make(r, args.half, tier)
        if line.text in seen:
            continue
        seen.add(line.text)
        n += 1
        for e in line.entities:
            assert line.text[e["start"]:e["end"]] == e["text"]
        row = {"id": f"{args.half}{args.seed}-{n:05d}", "text": line.text, "entities": line.entities, "lang": lang, "kind": family, "tier": tier, "source": "guard-sets"}
        if line.optional:
            row["optional"] = line.optional
        if family == "stream" or r.random() < .06:
            row["splits"] = sorted(r.sample(range(1, len(line.text)), min(len(line.text) - 1, r.randint(1, 8))))
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
