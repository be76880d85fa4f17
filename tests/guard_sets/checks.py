"""Check digits and digit scripts. Written from the published definitions, apart from the gateway's own code."""

# Verhoeff: multiplication in the dihedral group D5, computed instead of copied as a table.


def _d5(a, b):
    """Product in D5; 0-4 are rotations, 5-9 reflections."""
    ra, fa = a % 5, a >= 5
    rb, fb = b % 5, b >= 5
    r = (ra - rb) % 5 if fa else (ra + rb) % 5
    return r + (5 if fa != fb else 0)


_SHIFT = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def _permute(position, digit):
    for _ in range(position % 8):
        digit = _SHIFT[digit]
    return digit


def verhoeff_sum(digits):
    total = 0
    for position, digit in enumerate(reversed(digits)):
        total = _d5(total, _permute(position, int(digit)))
    return total


def verhoeff_digit(body):
    for digit in "0123456789":
        if verhoeff_sum(body + digit) == 0:
            return digit
    raise AssertionError("no check digit")


def luhn_sum(digits):
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10


def luhn_digit(body):
    return str((10 - luhn_sum(body + "0")) % 10)


_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def gstin_digit(body):
    """Check character of a 14-character GSTIN body (mod 36, factors 1 and 2 by turns)."""
    total = 0
    for position, char in enumerate(body):
        product = _BASE36.index(char) * (2 if position % 2 else 1)
        total += product // 36 + product % 36
    return _BASE36[(36 - total % 36) % 36]


def iban_digits(country, bban):
    number = "".join(str(int(c, 36)) for c in bban + country + "00")
    return "%02d" % (98 - int(number) % 97)


def iban_valid(iban):
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def ean13_digit(body):
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body))
    return str((10 - total % 10) % 10)


# First digit (zero) of each script.
ZERO = {
    "deva": 0x0966, "beng": 0x09E6, "guru": 0x0A66, "gujr": 0x0AE6, "orya": 0x0B66, "taml": 0x0BE6,
    "telu": 0x0C66, "knda": 0x0CE6, "mlym": 0x0D66, "arab": 0x0660, "urdu": 0x06F0, "full": 0xFF10,
}
SCRIPT_OF_LANG = {
    "hi": "deva", "mr": "deva", "ne": "deva", "bn": "beng", "as": "beng", "pa": "guru", "gu": "gujr",
    "or": "orya", "ta": "taml", "te": "telu", "kn": "knda", "ml": "mlym", "ur": "urdu", "ar": "arab",
    "ja": "full", "zh": "full",
}


def in_script(text, script):
    zero = ZERO[script]
    return "".join(chr(zero + ord(c) - 48) if "0" <= c <= "9" else c for c in text)


def self_test():
    assert verhoeff_digit("236") == "3"
    assert luhn_sum("4111" + "1" * 12) == 0
    assert gstin_digit("27AAPFU0939F1Z") == "V"
    assert iban_digits("GB", "WEST12345698765432") == "82"
    assert ean13_digit("978030640615") == "7"


self_test()
