"""Values of the sixteen entity types. Each maker takes a `random.Random` and a `Look` and returns segments:
a list of (text, type or None); type "?" marks a span that is neither right nor wrong."""

import base64
import ipaddress
import json
import string

import checks
import pii_words as W

DIGITS = string.digits
UPPER = string.ascii_uppercase
ALNUM = string.ascii_letters + string.digits
URLSAFE = ALNUM + "-_"
NBSP, THIN, NNBSP, FIG = "\u00a0", "\u2009", "\u202f", "\u2007"
ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"


class Look:
    """How numbers may be written on this line: language, half of the shapes, and whether unusual writing is allowed."""

    def __init__(self, lang="en", half="a", plain=False):
        self.lang, self.half, self.plain = lang, half, plain


def pick(r, items, half):
    """Half a never sees every fourth shape of a list; half b sees all, and those more often."""
    if len(items) < 4:
        return r.choice(items)
    if half == "a":
        return r.choice([x for i, x in enumerate(items) if i % 4 != 3])
    return r.choice(items[3::4]) if r.random() < 0.25 else r.choice(items)


def run(r, alphabet, length):
    return "".join(r.choice(alphabet) for _ in range(length))


def digits(r, length, first=None):
    return (r.choice(first) if first else "") + run(r, DIGITS, length - (1 if first else 0))


def fill(r, pattern):
    """X digit, N 2-9, M 1-9, A letter, anything else itself."""
    out = []
    for c in pattern:
        out.append(r.choice(DIGITS) if c == "X" else r.choice("23456789") if c == "N" else r.choice("123456789") if c == "M" else r.choice(UPPER) if c == "A" else c)
    return "".join(out)


def groups(text, sizes, sep):
    out, at = [], 0
    for size in sizes:
        out.append(text[at:at + size])
        at += size
    if at < len(text):
        out.append(text[at:])
    return sep.join(x for x in out if x)


def dress(r, text, look, zero_width=True):
    """Now and then native digits, full width, odd spaces or zero-width characters."""
    if look.plain:
        return text
    native = checks.SCRIPT_OF_LANG.get(look.lang)
    if native and r.random() < 0.55:
        text = checks.in_script(text, native)
    elif r.random() < 0.025:
        text = checks.in_script(text, r.choice(["full", "deva", "arab", "taml", "beng"]))
    if " " in text and r.random() < 0.06:
        text = text.replace(" ", r.choice([NBSP, THIN, NNBSP] + ([FIG, "  "] if look.half == "b" else [])))
    if zero_width and r.random() < 0.03:
        chars = list(text)
        for _ in range(r.randint(1, 3)):
            chars.insert(r.randint(1, len(chars) - 1), r.choice(ZERO_WIDTH))
        text = "".join(chars)
    return text


def name(r):
    return r.choice(W.FIRST), r.choice(W.LAST)


# --- e-mail

def email(r, look):
    f, l = name(r)
    f, l = f.lower(), l.lower()
    local = pick(r, [
        lambda: f"{f}.{l}", lambda: f"{f}{r.randint(1, 99)}", lambda: f"{f[0]}{l}", lambda: f"{f}_{l}",
        lambda: f"{f}{l}{r.randint(1960, 2010)}", lambda: f"{f}-{l}", lambda: f"{f}.{l}+{r.choice(W.TAGS)}", lambda: f"{f[0]}.{l}{r.randint(2, 9)}",
        lambda: r.choice(W.ROLES), lambda: f"{f.title()}.{l.title()}", lambda: l + f[:2], lambda: f"{f}.{r.choice('abcdkmrs')}.{l}",
        lambda: f"{r.randint(10, 99)}{f}", lambda: r.choice(W.ROLES) + "." + r.choice(W.CITIES_EN).lower().replace(" ", ""), lambda: f"{f}'{l}" if r.random() < .1 else f"{f}__{l}", lambda: f.upper() + "." + l.upper(),
    ], look.half)()
    domain = pick(r, W.MAIL_DOMAINS, look.half) if r.random() < 0.5 else r.choice(W.COMPANY) + r.choice(W.TLDS)
    if r.random() < 0.07:
        domain = r.choice(["mail.", "in.", "corp.", "hr.", "eu-west."]) + domain
    if local.isupper():
        domain = domain.upper()
    return [(f"{local}@{domain}", "EMAIL")]


# --- phones

def mobile_digits(r):
    return digits(r, 10, "6789")


def phone_mobile(r, look):
    d = mobile_digits(r)
    if r.random() < 0.5:
        # the usual ways of writing
        body = r.choice([d, d, groups(d, (5, 5), " "), groups(d, (5, 5), "-")])
        return [(dress(r, r.choice(["", "", "", "+91 ", "+91-", "+91", "0"]) + body, look), "PHONE")]
    sizes, sep = pick(r, [((10,), ""), ((5, 5), " "), ((5, 5), "-"), ((3, 3, 4), "-"), ((3, 3, 4), " "), ((4, 3, 3), " "), ((10,), ""), ((2, 4, 4), " "),
                          ((4, 6), " "), ((10,), ""), ((5, 5), "."), ((3, 3, 4), "."), ((4, 3, 3), "-"), ((6, 4), "-"), ((10,), ""), ((2, 2, 2, 2, 2), " ")], look.half)
    body = groups(d, sizes, sep)
    prefix = pick(r, ["", "", "+91", "+91 ", "+91-", "", "0", "(+91) ", "0091 ", "91 ", "+91 ", "+91 (0)", "", "91-", "", "0091-", "+91", "91", "+91-", "+91."], look.half)
    if prefix == "91" and (sep or checks.verhoeff_sum("91" + d) == 0):
        prefix = "+91"
    if "(0)" in prefix and sep not in ("", " ") or prefix == "+91." and sep not in ("", "."):
        prefix = "+91 "
    if prefix == "0" and sep not in ("", "-", " "):
        prefix = ""
    return [(dress(r, prefix + body, look), "PHONE")]


def phone_landline(r, look):
    code = r.choice(W.STD_CODES)
    body = digits(r, 11 - len(code), "23456")
    half_way = len(body) // 2
    split = body[:half_way] + r.choice([" ", "-", ""]) + body[half_way:]
    shape = pick(r, ["{c}-{b}", "({c}) {s}", "{c} {b}", "({c}){b}", "+91 {n} {s}", "+91-{n}-{b}", "{c}-{s}", "{c}/{b}", "{c}{b}", "+91 ({n}) {b}", "0091 {n} {b}", "{c} {s}"], look.half)
    text = shape.format(c=code, b=body, s=split, n=code[1:])
    return [(dress(r, text, look), "PHONE")]


def phone_tollfree(r, look):
    p = pick(r, ["1800-XXX-XXXX", "1800 XXX XXXX", "1800XXXXXXX", "1860-XXX-XXXX", "1800-XXX-XXX", "1800 XXX XXXX", "1860 XXX XXXX", "1800 XXX XXX"], look.half)
    return [(dress(r, fill(r, p), look), "PHONE")]


def phone_world(r, look):
    country, patterns = pick(r, W.PHONE_WORLD, look.half)
    plus = [p for p in patterns if p.startswith("+")]
    return [(dress(r, fill(r, r.choice(plus if r.random() < .6 else patterns)), Look("en", look.half, look.plain)), "PHONE")]


def phone(r, look):
    x = r.random()
    if look.lang in ("de", "fr", "es", "it", "nl", "pt"):
        rows = [p for c, p in W.PHONE_WORLD if c in {"de": ("DE", "AT", "CH"), "fr": ("FR", "BE", "CH"), "es": ("ES", "MX", "AR"), "it": ("IT",), "nl": ("NL",), "pt": ("PT", "BR")}[look.lang]]
        return [(fill(r, r.choice(r.choice(rows))), "PHONE")]
    if x < 0.62:
        return phone_mobile(r, look)
    if x < 0.76:
        return phone_landline(r, look)
    if x < 0.81:
        return phone_tollfree(r, look)
    return phone_world(r, look) if look.lang == "en" else phone_mobile(r, look)


# --- Indian identifiers

def aadhaar_digits(r):
    while True:
        body = digits(r, 11, "23456789")
        number = body + checks.verhoeff_digit(body)
        # 91 and a mobile number, or a run of one digit, would be read otherwise
        if not (number.startswith("91") and number[2] in "6789") and len(set(number)) > 3:
            return number


def aadhaar(r, look):
    d = aadhaar_digits(r)
    sep = pick(r, [" ", " ", "", "-", " ", "-", "", NBSP, " ", "", " ", THIN] if look.half == "b" else [" ", " ", "", "-"] * 2, look.half)
    return [(dress(r, groups(d, (4, 4, 4), sep), look), "IN_AADHAAR")]


def aadhaar_vid(r, look):
    body = digits(r, 15, "23456789")
    return [(groups(body + checks.verhoeff_digit(body), (4, 4, 4, 4), r.choice([" ", "", "-"])), "?")]


def pan_text(r):
    return run(r, UPPER, 3) + r.choice("PPPPPPCHFATBLJG") + r.choice(UPPER) + digits(r, 4) + r.choice(UPPER)


def pan(r, look):
    p = pan_text(r)
    x = r.random()
    if x < 0.07:
        p = p.lower()
    elif x < 0.13:
        p = groups(p, (5, 4, 1), r.choice([" ", "-"]))
    elif x < 0.15 and look.half == "b":
        p = p[:5].title() + p[5:]
    return [(p, "IN_PAN")]


def gstin_text(r):
    body = r.choice(W.GST_STATES) + pan_text(r) + r.choice("1111123456789ABC") + "Z"
    return body + checks.gstin_digit(body)


def gstin(r, look):
    g = gstin_text(r)
    x = r.random()
    if x < 0.05:
        g = g.lower()
    elif x < 0.09:
        g = groups(g, (2, 10, 3), r.choice([" ", "-"]))
    return [(g, "IN_GSTIN")]


def ifsc(r, look):
    code = pick(r, W.IFSC_BANKS, look.half) + "0" + (digits(r, 6) if r.random() < 0.75 else run(r, UPPER + DIGITS, 6))
    return [(code.lower() if r.random() < 0.05 else code, "IN_IFSC")]


def upi(r, look):
    f, l = name(r)
    f, l = f.lower(), l.lower()
    user = pick(r, [lambda: f + l, lambda: f + "." + l, lambda: mobile_digits(r), lambda: f + str(r.randint(1, 999)), lambda: mobile_digits(r), lambda: f"{f}-{r.randint(1, 9)}", lambda: f"{r.choice(W.SHOPS)}{r.randint(1, 99)}",
                    lambda: f"q{digits(r, 9)}", lambda: f"{f}_{l}", lambda: f"{r.choice(W.SHOPS)}.{r.choice(['store', 'pay', 'biz'])}", lambda: f"{mobile_digits(r)}-{r.randint(2, 4)}", lambda: f"paytmqr{run(r, ALNUM.lower(), 8)}"], look.half)()
    handle = pick(r, W.UPI_HANDLES, look.half)
    text = f"{user}@{handle}"
    if r.random() < 0.04:
        text = text.upper() if r.random() < 0.5 else user.title() + "@" + handle
    return [(text, "IN_UPI")]


def voter(r, look):
    v = run(r, UPPER, 3) + digits(r, 7)
    if r.random() < 0.06:
        v = v[:3] + r.choice([" ", "-"]) + v[3:] if r.random() < .5 else v.lower()
    return [(v, "IN_VOTER_ID")]


def passport(r, look):
    p = r.choice("ABCDEFGHJKLMNOPRSTUVWY") + r.choice("123456789") + digits(r, 5) + r.choice("123456789")
    if r.random() < 0.08:
        p = p[0] + r.choice([" ", "-"]) + p[1:] if r.random() < .6 else p.lower()
    return [(p, "IN_PASSPORT")]


def licence(r, look):
    s, rto = r.choice(W.STATES), "%02d" % r.randint(1, 99)
    year, n = str(r.randint(1985, 2024)), digits(r, 7)
    shape = pick(r, ["{s}{r} {y}{n}", "{s}-{r}-{y}-{n}", "{s}-{r}{y}{n}", "{s}{r}{y}{n}", "{s} {r} {y} {n}", "{s}-{r} {y}{n}", "{s}{r}-{y}-{n}", "{s}/{r}/{y}/{n}", "{s}{r} {y} {n}", "{s}-{r}-{y}{n}", "{s}-{r}/{y}/{n}", "{s} {r}{y}{n}"], look.half)
    text = shape.format(s=s, r=rto, y=year, n=n)
    return [(text.lower() if r.random() < 0.03 else text, "IN_DRIVING_LICENCE")]


def vehicle(r, look):
    if r.random() < 0.15:
        sep = pick(r, ["", " ", "", "-"], look.half)
        return [(sep.join([str(r.randint(21, 26)), "BH", digits(r, 4), run(r, "ABCDEFGHJKLMNPQRSTUVWXYZ", r.choice([1, 2, 2]))]), "IN_VEHICLE_REG")]
    s, rto = r.choice(W.STATES), r.choice(["%02d" % r.randint(1, 75)] * 30 + [str(r.randint(1, 9))])
    series = run(r, "ABCDEFGHJKLMNPQRSTUVWXYZ", r.choice([1, 2, 2, 2, 3]))
    if s == "DL" and r.random() < .6:
        rto, series = str(r.randint(1, 14)), r.choice("CSPRT") + run(r, "ABCDEFGHJKLMN", 2)
    number = "%04d" % r.randint(1, 9999)
    shape = pick(r, ["{s}{r}{x}{n}", "{s} {r} {x} {n}", "{s}-{r}-{x}-{n}", "{s}-{r} {x} {n}", "{s}{r} {x} {n}", "{s}{r} {x}{n}", "{s}-{r}-{x} {n}", "{s}-{r}{x}-{n}", "{s}.{r}.{x}.{n}", "{s}{r}{x} {n}", "{s}{r}{x}{n}", "{s} {r}{x} {n}"], look.half)
    text = shape.format(s=s, r=rto, x=series, n=number)
    return [(text.lower() if r.random() < 0.05 else text, "IN_VEHICLE_REG")]


# --- cards, banks, SSN

def card_digits(r, half="b"):
    prefix, length = pick(r, [("4", 16), ("5[1-5]", 16), ("4", 16), ("60", 16), ("3[47]", 15), ("2[3-6]", 16), ("6521", 16), ("82", 16), ("6011", 16), ("3[68]", 14), ("35[3-8]", 16), ("81", 16), ("62", 16), ("508", 16), ("65", 16), ("2[3-6]", 16)], half)
    out = ""
    i = 0
    while i < len(prefix):
        if prefix[i] == "[":
            inner = prefix[i + 1:prefix.index("]", i)]
            if "-" in inner:
                inner = "".join(map(str, range(int(inner[0]), int(inner[2]) + 1)))
            out += r.choice(inner)
            i = prefix.index("]", i) + 1
        else:
            out += prefix[i]
            i += 1
    body = out + digits(r, length - len(out) - 1)
    return body + checks.luhn_digit(body)


def card(r, look):
    d = card_digits(r, look.half)
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[len(d)]
    sep = pick(r, [" ", "", "-", NBSP, " ", "", " ", "-"], look.half)
    return [(dress(r, groups(d, sizes, sep), look), "CREDIT_CARD")]


def iban_text(r, half="b"):
    country, shape = pick(r, W.IBAN_SHAPES, half)
    bban = "".join(digits(r, int(n)) if k == "n" else run(r, UPPER, int(n)) if k == "a" else run(r, UPPER + DIGITS, int(n)) for k, n in shape)
    return country + checks.iban_digits(country, bban) + bban


def iban(r, look):
    text = iban_text(r, look.half)
    x = r.random()
    if x < 0.45:
        text = groups(text, (4,) * 9, " ")
    elif x < 0.49:
        text = groups(text, (4,) * 9, "-" if look.half == "b" else NBSP)
    elif x < 0.53:
        text = text.lower()
    return [(text, "IBAN")]


def ssn(r, look):
    while True:
        area = r.randint(1, 899)
        if area != 666:
            break
    sep = pick(r, ["-", "-", " ", "-", "-", " ", "-", "."], look.half)
    return [(f"{area:03d}{sep}{r.randint(1, 99):02d}{sep}{r.randint(1, 9999):04d}", "US_SSN")]


# --- addresses of machines

def ipv4_text(r):
    x = r.random()
    if x < 0.3:
        return f"10.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"
    if x < 0.45:
        return f"192.168.{r.randint(0, 255)}.{r.randint(1, 254)}"
    if x < 0.52:
        return f"172.{r.randint(16, 31)}.{r.randint(0, 255)}.{r.randint(1, 254)}"
    while True:
        a = r.randint(11, 223)
        if a not in (127, 172, 192, 169):
            return f"{a}.{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"


def ipv6_text(r, half="b"):
    head = r.choice(["2001:db8", "2401:4900", "2405:201", "fe80", "2a02:26f0", "fd12:3456", "2606:4700", "2409:40f2"])
    parts = head.split(":")
    while len(parts) < 8:
        parts.append("0" if r.random() < 0.35 else "%x" % r.randint(1, 0xFFFF))
    address = ipaddress.IPv6Address(":".join(parts))
    style = pick(r, ["short", "short", "full", "caps", "short", "long4", "short", "mapped"], half)
    if style == "mapped":
        return "::ffff:" + ipv4_text(r)
    if style == "long4":
        return address.exploded
    if style == "full":
        return ":".join("%x" % int(p, 16) for p in address.exploded.split(":"))
    return str(address).upper() if style == "caps" else str(address)


def ip(r, look):
    return [(ipv4_text(r) if r.random() < 0.66 else ipv6_text(r, look.half), "IP_ADDRESS")]


def ip_framed(r, look):
    """An address with a port, in brackets, in a URL or with a prefix length."""
    x = r.random()
    if x < 0.3:
        return [(ipv4_text(r), "IP_ADDRESS"), (":" + str(r.choice([22, 80, 443, 5432, 6379, 8080, r.randint(1024, 65535)])), None)]
    if x < 0.5:
        return [("[", None), (ipv6_text(r, look.half), "IP_ADDRESS"), ("]:" + str(r.choice([443, 8443, r.randint(1024, 65535)])), None)]
    if x < 0.7:
        return [(r.choice(["http://", "https://", "ws://", "tcp://", "grpc://"]), None), (ipv4_text(r), "IP_ADDRESS"), (r.choice(["/health", ":9090/metrics", "/api/v2/users", "", ":8000"]), None)]
    if x < 0.8:
        return [("https://[", None), (ipv6_text(r, look.half), "IP_ADDRESS"), ("]/status", None)]
    return [(ipv4_text(r), "IP_ADDRESS"), (r.choice(["/24", "/32", "/16"]), None)]


# --- secrets. Prefix and random part meet only at run time.

def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(r):
    head = {"alg": r.choice(["HS256", "RS256", "ES256", "HS512", "PS256", "EdDSA"]), "typ": "JWT"}
    if r.random() < .3:
        head["kid"] = run(r, ALNUM, 8)
    f, l = name(r)
    body = {"sub": digits(r, 8), "iat": r.randint(1700000000, 1790000000), r.choice(["role", "scope", "name", "iss"]): r.choice(["admin", "user", f + " " + l, "read write", "https://auth.example"])}
    enc = lambda o: b64url(json.dumps(o, separators=(",", ":")).encode())
    return enc(head) + "." + enc(body) + "." + run(r, URLSAFE, r.choice([43, 43, 86, 342]))


def pem(r, newline="\n"):
    label = r.choice(["RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK", "DSA PRIVATE KEY"])
    body = base64.b64encode(bytes(r.getrandbits(8) for _ in range(r.choice([120, 238, 320, 608])))).decode()
    lines = [body[i:i + 64] for i in range(0, len(body), 64)]
    if label.startswith("PGP"):
        lines = [""] + lines + ["=" + run(r, ALNUM, 4)]
    return newline.join(["-----" + "BEGIN " + label + "-----"] + lines + ["-----" + "END " + label + "-----"])


def password_text(r):
    if r.random() < .4:
        word = r.choice(W.FIRST + W.CITIES_EN).replace(" ", "")
        return word[:7] + r.choice("@#$!*") + str(r.randint(10, 9999)) + run(r, ALNUM + "!#$%*", r.randint(2, 6))
    return run(r, ALNUM, r.randint(4, 9)) + r.choice("!#$%^*_+=") + run(r, ALNUM, r.randint(4, 9)) + r.choice(DIGITS)


def token(r, half="b"):
    """A token with a known form."""
    return pick(r, TOKENS, half)(r)


TOKENS = [
    lambda r: r.choice(["AK" + "IA", "AK" + "IA", "AS" + "IA"]) + run(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    lambda r: "gh" + r.choice("pousr") + "_" + run(r, ALNUM, 36),
    lambda r: "sk-" + run(r, ALNUM, 48),
    lambda r: "glpat" + "-" + run(r, URLSAFE, 20),
    lambda r: "xox" + "b-" + digits(r, 12, "123456789") + "-" + digits(r, 13, "123456789") + "-" + run(r, ALNUM, 24),
    lambda r: "sk_" + "live_" + run(r, ALNUM, r.choice([24, 34, 99])),
    lambda r: "github" + "_pat_" + run(r, ALNUM, 22) + "_" + run(r, ALNUM, 59),
    lambda r: "np" + "m_" + run(r, ALNUM, 36),
    lambda r: "sk-" + "ant-api03-" + run(r, URLSAFE, 93) + "AA",
    lambda r: "AI" + "za" + run(r, URLSAFE, 35),
    lambda r: "sk-" + "proj-" + run(r, URLSAFE, r.choice([48, 124, 156])),
    lambda r: "SG" + "." + run(r, URLSAFE, 22) + "." + run(r, URLSAFE, 43),
    lambda r: "hf" + "_" + run(r, string.ascii_letters, 34),
    lambda r: "rzp" + r.choice(["_live_", "_live_", "_test_"]) + run(r, ALNUM, 14),
    jwt,
    lambda r: "dop" + "_v1_" + run(r, "0123456789abcdef", 64),
    lambda r: "py" + "pi-" + "AgEIcHlwaS5vcmc" + run(r, URLSAFE, r.choice([80, 150])),
    lambda r: digits(r, r.choice([9, 10]), "123456789") + ":AA" + run(r, URLSAFE, 33),
    lambda r: r.choice(["SK", "AC"]) + run(r, "0123456789abcdef", 32),
    lambda r: "rk_" + "live_" + run(r, ALNUM, 24),
    lambda r: "xox" + r.choice("ap") + "-" + digits(r, 11, "123456789") + "-" + digits(r, 12, "123456789") + "-" + digits(r, 12, "123456789") + "-" + run(r, "0123456789abcdef", 32),
    lambda r: "https://hooks.sl" + "ack.com/services/T" + run(r, UPPER + DIGITS, 9) + "/B" + run(r, UPPER + DIGITS, 9) + "/" + run(r, ALNUM, 24),
    jwt,
    lambda r: "gs" + "k_" + run(r, ALNUM, 52),
    lambda r: "AK" + "IA" + run(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    lambda r: "gh" + "p_" + run(r, ALNUM, 36),
    lambda r: "ya29." + run(r, URLSAFE, 120),
    lambda r: "shp" + "at_" + run(r, "0123456789abcdef", 32),
]


def secret(r, look):
    return [(token(r, look.half), "SECRET")]


def secret_pem(r, look):
    return [(pem(r), "SECRET")]


def secret_pem_json(r, look):
    return [(pem(r, "\\n"), "SECRET")]


def secret_generic(r, look):
    """High entropy without a known prefix; the key before it tells."""
    return [(r.choice([lambda: run(r, "0123456789abcdef", 32), lambda: run(r, ALNUM, 40), lambda: run(r, ALNUM, r.randint(24, 48)), lambda: base64.b64encode(bytes(r.getrandbits(8) for _ in range(32))).decode(), lambda: run(r, "0123456789abcdef", 64)])(), "SECRET")]


def secret_password(r, look):
    return [(password_text(r), "SECRET")]


def secret_url(r, look):
    scheme, port = pick(r, [("postgres", 5432), ("mysql", 3306), ("mongodb+srv", 0), ("redis", 6379), ("amqp", 5672), ("postgresql", 5432), ("https", 0), ("ftp", 21), ("mongodb", 27017), ("rediss", 6380), ("smtp", 587), ("mssql", 1433)], look.half)
    user = r.choice(["app", "admin", "svc_billing", "root", "reader", "deploy", ""] if scheme.startswith("redis") else ["app", "admin", "svc_billing", "root", "reader", "deploy"])
    secret_ = run(r, ALNUM, r.randint(8, 20)) if r.random() < .6 else run(r, ALNUM, 6) + r.choice("!$*_-.~") + run(r, ALNUM, 6)
    host = r.choice(["db", "db-prod", "cache.internal", "pg.acme.io", "cluster0.x7y.mongodb.net", "mq-1.svc.local", "repo.example.org"])
    return [(f"{scheme}://{user}:", None), (secret_, "SECRET"), (f"@{host}" + (f":{port}" if port else "") + "/" + r.choice(["app", "main", "orders", "0", ""]), None)]


def secret_basic(r, look):
    return [("Basic ", None), (base64.b64encode((r.choice(["admin", "svc", "api", "reports"]) + ":" + password_text(r)).encode()).decode(), "SECRET")]


def secret_azure(r, look):
    return [(f"DefaultEndpointsProtocol=https;AccountName={r.choice(W.COMPANY)};AccountKey=", None), (base64.b64encode(bytes(r.getrandbits(8) for _ in range(64))).decode(), "SECRET"), (";EndpointSuffix=core.windows.net", None)]


def secret_gcp(r, look):
    return [('{"type":"service_account","project_id":"' + r.choice(W.COMPANY) + '-prod","private_key_id":"', None), (run(r, "0123456789abcdef", 40), "?"), ('","private_key":"', None), (pem(r, "\\n"), "SECRET"), ('\\n"}', None)]


MAKERS = {
    "email": email, "phone": phone, "mobile": phone_mobile, "landline": phone_landline, "tollfree": phone_tollfree, "worldphone": phone_world,
    "aadhaar": aadhaar, "vid": aadhaar_vid, "pan": pan, "gstin": gstin, "ifsc": ifsc, "upi": upi, "voter": voter, "passport": passport,
    "dl": licence, "vehicle": vehicle, "card": card, "iban": iban, "ssn": ssn, "ip": ip, "ipx": ip_framed, "secret": secret, "pem": secret_pem,
    "pemjson": secret_pem_json, "generic": secret_generic, "password": secret_password, "secreturl": secret_url, "basic": secret_basic, "azure": secret_azure, "gcp": secret_gcp,
}
