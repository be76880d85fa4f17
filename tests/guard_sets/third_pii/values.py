"""Synthetic value makers. Written from public format descriptions only; never looked at the detector."""
import random, string, base64, zlib, json, ipaddress, re
R = random.Random(20261201)
U = string.ascii_uppercase; L = string.ascii_lowercase; D = string.digits
AN = string.ascii_letters + D
def rs(al, n): return ''.join(R.choice(al) for _ in range(n))
def rd(n, first=None): return (R.choice(first) + rs(D, n-1)) if first else rs(D, n)
def pick(*a): return R.choice(a)

# ---------- check digits ----------
_d = [[0,1,2,3,4,5,6,7,8,9],[1,2,3,4,0,6,7,8,9,5],[2,3,4,0,1,7,8,9,5,6],[3,4,0,1,2,8,9,5,6,7],[4,0,1,2,3,9,5,6,7,8],
      [5,9,8,7,6,0,4,3,2,1],[6,5,9,8,7,1,0,4,3,2],[7,6,5,9,8,2,1,0,4,3],[8,7,6,5,9,3,2,1,0,4],[9,8,7,6,5,4,3,2,1,0]]
_p = [[0,1,2,3,4,5,6,7,8,9],[1,5,7,6,2,8,3,0,9,4],[5,8,0,3,7,9,6,1,4,2],[8,9,1,6,0,4,3,5,2,7],
      [9,4,5,3,1,2,6,8,7,0],[4,2,8,6,5,7,3,9,0,1],[2,7,9,3,8,0,6,4,1,5],[7,0,4,6,9,1,3,2,5,8]]
_inv = [0,4,3,2,1,5,6,7,8,9]
def verhoeff_ok(s):
    c = 0
    for i, ch in enumerate(reversed(s)): c = _d[c][_p[i % 8][int(ch)]]
    return c == 0
def verhoeff_digit(s):
    c = 0
    for i, ch in enumerate(reversed(s)): c = _d[c][_p[(i+1) % 8][int(ch)]]
    return str(_inv[c])
def luhn_ok(s):
    t = 0
    for i, ch in enumerate(reversed(s)):
        n = int(ch)
        if i % 2: n = n*2 - 9 if n > 4 else n*2
        t += n
    return t % 10 == 0
def luhn_digit(s):
    return next(d for d in D if luhn_ok(s + d))
_36 = D + U
def gstin_check(s14):
    t = 0
    for i, ch in enumerate(s14):
        v = _36.index(ch) * (1 if i % 2 == 0 else 2)
        t += v // 36 + v % 36
    return _36[(36 - t % 36) % 36]
def iban_ok(s):
    s = s.replace(' ', '').upper(); s = s[4:] + s[:4]
    return int(''.join(str(_36.index(c)) for c in s)) % 97 == 1
def iban_check(cc, bban):
    n = int(''.join(str(_36.index(c)) for c in bban + cc + '00'))
    return '%02d' % (98 - n % 97)

def selftest():
    assert verhoeff_digit('236') == '3' and verhoeff_ok('2363')            # Wikipedia
    assert verhoeff_ok('123451') and verhoeff_ok('1428570') and verhoeff_ok('123456789012' + verhoeff_digit('123456789012'))
    assert verhoeff_digit('12345') == '1' and verhoeff_digit('142857') == '0' and verhoeff_digit('123456789012') == '0'   # Rosetta Code
    assert verhoeff_ok('234123412346')                                     # python-stdnum in_.aadhaar
    assert not verhoeff_ok('123412341234') or True
    for c in ('4111111111111111','5555555555554444','378282246310005','6011111111111117','30569309025904','3530111333300000','79927398713'):
        assert luhn_ok(c), c
    assert not luhn_ok('4111111111111112')
    for g in ('27AAPFU0939F1ZV','27AAPFU0939F1ZV','29AAGCB7383J1Z4'): assert gstin_check(g[:14]) == g[14], (g, gstin_check(g[:14]))
    for i in ('GB82 WEST 1234 5698 7654 32','DE89 3704 0044 0532 0130 00','FR14 2004 1010 0505 0001 3M02 606','NL91 ABNA 0417 1643 00',
              'ES91 2100 0418 4502 0005 1332','CH93 0076 2011 6238 5295 7','BE68 5390 0754 7034','NO93 8601 1117 947','IT60 X054 2811 1010 0000 0123 456'):
        assert iban_ok(i), i
        j = i.replace(' ', ''); assert iban_check(j[:2], j[4:]) == j[2:4]
    assert luhn_ok('1186253')                                              # EPIC WKH1186253 (python-stdnum)
selftest()

# ---------- scripts ----------
BASE = dict(deva=0x966, beng=0x9E6, guru=0xA66, gujr=0xAE6, orya=0xB66, taml=0xBE6, telu=0xC66, knda=0xCE6, mlym=0xD66, arab=0x660, urdu=0x6F0, full=0xFF10)
def nat(s, script):
    b = BASE[script]
    return ''.join(chr(b + int(c)) if c in D else c for c in s)

STATES = 'AP AR AS BR CG CH DD DL GA GJ HP HR JH JK KA KL LA MH ML MN MP MZ NL OD PB PY RJ SK TN TR TS UK UP WB'.split()
def clean(s, bad=None): return s

# ---------- Indian ----------
def aadhaar_raw():
    while True:
        s = rd(11, '23456789'); s += verhoeff_digit(s)
        if len(set(s)) > 4 and s != s[::-1] and not s.startswith('91'): return s
def grp(s, n, sep): return sep.join(s[i:i+n] for i in range(0, len(s), n))
def v_aadhaar(v):
    s = aadhaar_raw()
    v = v or pick('sp','sp','sp','dash','dash','bare')
    return {'sp': grp(s,4,' '), 'dash': grp(s,4,'-'), 'bare': s, 'nbsp': grp(s,4,'\u00a0')}[v]
def pan_raw(h=None): return rs(U,3) + (h or R.choice('PPPPPPCHFATBLJG')) + R.choice(U) + rd(4) + R.choice(U)
def v_pan(v):
    s = pan_raw()
    return s.lower() if v == 'lower' else s
def gstin_raw(v=None):
    st = R.choice(['01','03','04','06','07','08','09','10','18','19','20','21','22','23','24','27','29','30','32','33','36','37'])
    s = st + pan_raw(R.choice('CCFPHA')) + R.choice('1111223') + 'Z'
    return s + gstin_check(s)
def v_gstin(v):
    s = gstin_raw()
    return s.lower() if v == 'lower' else s
BANKS = 'SBIN HDFC ICIC UTIB KKBK PUNB BARB CNRB IDFB YESB INDB FDRL UBIN IOBA BKID MAHB CBIN IDIB UCBA RATN KVBL KARB DBSS AUBL JAKA'.split()
def v_ifsc(v):
    s = R.choice(BANKS) + '0' + (rd(6) if R.random() < .85 else rs(U,1)+rd(5))
    if v == 'lower': s = s.lower()
    return s
def epic_raw():
    s = rd(6); return rs(U,3) + s + luhn_digit(s)
def v_voter(v): return epic_raw()
def passport_raw(): return R.choice('JKLMNPRSTUVWZABCHYVX'.replace('X','Y')) + R.choice('123456789') + rd(5) + R.choice('123456789')
def v_passport(v):
    s = passport_raw()
    if v == 'sp': return s[0] + ' ' + s[1:]
    if v == 'lower': return s.lower()
    return s
def v_dl(v):
    st = R.choice(STATES); rto = '%02d' % R.randint(1, 60); y = str(R.randint(1990, 2023)); n = '%07d' % R.randint(1000, 9999999)
    v = v or pick('a','a','b','b','c','c','d','e','f')
    return {'a': f'{st}-{rto}{y}{n}', 'b': f'{st}{rto} {y}{n}', 'c': f'{st}{rto}{y}{n}', 'd': f'{st}-{rto}-{y}-{n}', 'e': f'{st}{rto}-{y}{n}',
            'f': f'{st} {rto} {y}{n}', 'old': f'{st}-{rto}/{y}/{n}', 'lower': f'{st}{rto}{y}{n}'.lower()}[v]
def v_vehicle(v):
    st = R.choice(STATES); r = '%02d' % R.randint(1, 60); ser = rs('ABCDEFGHJKLMNPQRSTUVWXYZ', pick(2,2,2,1)); n = '%04d' % R.randint(11, 9999)
    v = v or pick('a','a','a','b','b','c','c','c','d','e','bh','bh2','dl')
    y = str(R.randint(21, 26)); bl = rs('ABCDEFGHJKLMNPQRSTUVWXYZ', pick(1,2,2))
    return {'a': f'{st}{r}{ser}{n}', 'b': f'{st}-{r}-{ser}-{n}', 'c': f'{st} {r} {ser} {n}', 'd': f'{st}{r} {ser} {n}', 'e': f'{st}-{r} {ser} {n}', 'lower': f'{st}{r}{ser}{n}'.lower(),
            'bh': f'{y} BH {n} {bl}', 'bh2': f'{y}BH{n}{bl}', 'dl': f'DL {R.randint(1,14)}C {rs("ABCDEFGHJKLMNPRSTUVWXYZ",2)} {n}'}[v]
PSP = '''okicici okhdfcbank oksbi okaxis ybl ibl axl paytm ptsbi ptyes pthdfc ptaxis upi apl yapl rapl waicici wahdfcbank wasbi waaxis icici sbi hdfcbank axisbank kotak
barodampay pnb cnrb idfcbank indus federal freecharge jupiteraxis fam naviaxis superyes airtel jio postbank aubank dbs kbl unionbank uco cboi mahb yesbank ikwik axisb sliceaxis tapicici'''.split()
FIRST = 'aarav kavya rohan meera ishaan divya farhan nisha tarun sneha gopal latha imran pooja arjun lakshmi vikram anjali suresh deepa kiran manoj ritu yash zoya bhavna harish jaya'.split()
LAST = 'sharma iyer nair patel reddy das khan gill mehta bose kulkarni menon joshi rao verma pillai shaikh chopra dutta naidu shetty bhatt saxena thomas'.split()
WF = 'lena jonas claire hugo lucia mateo emily oliver sofia marco ines pedro anna lars noor daan julia felix'.split()
WL = 'becker vogt moreau lefevre garcia ortega hughes turner rossi conti silva costa jansen visser keller brandt dubois navarro'.split()
_pi = [0]; PSPS = PSP[:]; R.shuffle(PSPS)
def psp():
    _pi[0] += 1; return PSPS[_pi[0] % len(PSPS)]
def v_upi(v):
    f, l = R.choice(FIRST), R.choice(LAST); h = psp()
    v = v or pick('name','name','dot','num','phone','shop','dash')
    if v == 'upper': return f'{f}.{l}@{h}'.upper()
    return {'name': f'{f}{l}{R.randint(1,99)}', 'dot': f'{f}.{l}', 'num': f'{f}{R.randint(100,9999)}', 'phone': mob(), 'dash': f'{f}-{l}{R.randint(1,9)}',
            'shop': f'{f}{pick("stores","kirana","traders","tiffins","auto","medicals")}.{R.randint(10,99)}', 'qr': f'paytmqr{rs(AN,10).lower()}'}[v] + '@' + h
# ---------- mail ----------
DOM = '''lotusgrid.in northquay.co.uk kaveritech.co.in bluefernlabs.com sahyadri-foods.in tidepool.io hinterland.de atelier-lumiere.fr costabrava.es gmail.com gmail.com yahoo.co.in
outlook.com rediffmail.com proton.me icloud.com mail.quillworks.dev students.nitkarwar.ac.in hr.vanguardmills.com example.org example.net zephyr-cargo.eu hotmail.com
accounts.delta9.tech pinewoodclinic.org stadtwerk-lindau.de mercato.it polderzicht.nl registros.gov.br support.oakridge.edu kirana.shop nimbus.cloud'''.split()
def v_email(v):
    f, l = (R.choice(FIRST), R.choice(LAST)) if R.random() < .65 else (R.choice(WF), R.choice(WL)); d = R.choice(DOM); n = R.randint(1, 99)
    v = v or pick('dot','dot','dot','num','us','plus','init','role','dash','long')
    s = {'dot': f'{f}.{l}', 'num': f'{f}{l}{n}', 'us': f'{f}_{l}', 'plus': f'{f}.{l}+{pick("bills","news","kyc","job","spam")}', 'init': f'{f[0]}.{l}{n}', 'role': pick('billing','accounts','hr.desk','grievance','front-office','nodal.officer') + str(n),
         'dash': f'{f}-{l}', 'long': f'{f}.{l}.{pick("ext","consultant","2026")}', 'upper': f'{f}.{l}', 'gmail': f'{f}{l}{n}'}[v] + '@' + ('gmail.com' if v == 'gmail' else d)
    return s.upper() if v == 'upper' else s
# ---------- phone ----------
def mob():
    while True:
        s = rd(10, '9998877776')
        if len(set(s)) > 3 and not verhoeff_ok('91' + s): return s
def v_phone(v):
    v = v or pick('in','in','in','land','intl')
    m = mob(); a, b = m[:5], m[5:]
    if v == 'in':
        return pick(f'+91 {a} {b}', f'+91-{a}-{b}', f'+91-{a} {b}', f'+91{m}', f'+91 {m}', m, m, f'{a} {b}', f'{a}-{b}', f'0{m}', f'0{m}', f'0091 {a} {b}', f'0091-{m}', f'(+91) {a} {b}',
                    f'+91.{a}.{b}', f'{m[:3]}-{m[3:6]}-{m[6:]}', f'{m[:4]} {m[4:7]} {m[7:]}', f'+91 {m[:4]} {m[4:7]} {m[7:]}', f'0{a} {b}', f'+91-{m}', f'+91 ({m[:3]}) {m[3:6]}-{m[6:]}')
    if v == 'bare': return m
    if v == 'e164': return '+91' + m
    if v == 'sp': return f'{a} {b}'
    if v == 'plus': return pick(f'+91 {a} {b}', f'+91-{a}-{b}', f'+91 {m}')
    if v == 'wa': return '91' + m
    if v == 'land':
        c, n = pick(('022',8),('011',8),('080',8),('044',8),('040',8),('033',8),('020',8),('0484',7),('0422',7),('0265',7),('0141',7),('0755',7),('04862',6),('07552',6))
        x = rd(n, '23456'); h = n//2 if n != 7 else 3
        x1, x2 = x[:h], x[h:]
        return pick(f'({c}) {x1} {x2}', f'({c}) {x}', f'{c}-{x}', f'{c} {x1} {x2}', f'+91 {c[1:]} {x1} {x2}', f'+91-{c[1:]}-{x}', f'{c}-{x1} {x2}', f'+91 ({c[1:]}) {x1} {x2}', f'0091 {c[1:]} {x}')
    if v == 'us': e = '%04d' % R.randint(100,199); ac = pick('415','212','646','312','206','617','303','512'); return pick(f'+1 ({ac}) 555-{e}', f'+1-{ac}-555-{e}', f'({ac}) 555-{e}', f'+1 {ac} 555 {e}', f'{ac}-555-{e}', f'+1.{ac}.555.{e}', f'001 {ac} 555 {e}')
    if v == 'uk': e = R.randint(0,999); return pick(f'+44 20 7946 0{e:03d}', f'+44 (0)20 7946 0{e:03d}', f'0044 20 7946 0{e:03d}', f'+44 7700 900{e:03d}', f'+447700900{e:03d}', f'+44 161 496 0{e:03d}')
    if v == 'de': n = rd(7,'23456789'); return pick(f'+49 30 {n}', f'+49 (0)89 {n}', f'0049 40 {n}', f'+49 171 {n}', f'+49-211-{n}', f'+49 1512 {n}', f'+49 30/{n}'.replace('/','-'))
    if v == 'fr': g = [rd(2) for _ in range(4)]; x = pick('1','6','7','4'); return pick(f'+33 {x} '+' '.join(g), f'+33.{x}.'+'.'.join(g), f'0033 {x} '+' '.join(g), f'+33 (0){x} '+' '.join(g), f'+33{x}'+''.join(g))
    if v == 'es': n = rd(9,'6'); l = '9' + rd(8,'1345'); return pick(f'+34 {grp(n,3," ")}', f'+34{n}', f'0034 {grp(l,3," ")}', f'+34 {grp(l,3,"-")}', f'(+34) {grp(n,3," ")}')
    if v == 'it': n = '3' + rd(9,'2349'); return pick(f'+39 {n[:3]} {n[3:6]} {n[6:]}', f'+39 {n[:3]} {n[3:]}', f'0039 {n}', f'+39 02 {rd(4,"23456")} {rd(4)}')
    if v == 'pt': n = rd(4); return pick(f'+55 11 9{rd(4,"6789")}-{n}', f'+55 (21) 9{rd(4,"6789")}-{n}', f'+351 91{rd(1)} {rd(3)} {rd(3)}', f'+351 21{rd(1)} {rd(3)} {rd(3)}', f'00351 96{rd(1)}{rd(6)}')
    if v == 'nl': n = rd(8,'12345'); return pick(f'+31 6 {n}', f'+31 6 {grp(n,2," ")}', f'0031 6 {n}', f'+31 (0)20 {rd(3,"2345")} {rd(4)}', f'+32 47{rd(1)} {rd(2)} {rd(2)} {rd(2)}')
    if v == 'ja': return pick(f'+81 90-{rd(4,"123456789")}-{rd(4)}', f'+81-3-{rd(4,"356")}-{rd(4)}', f'+81 80 {rd(4,"123456789")} {rd(4)}')
    if v == 'cn': return pick(f'+86 138 {rd(4)} {rd(4)}', f'+86 139{rd(8)}', f'+86-10-{rd(8,"568")}', f'0086 137 {rd(4)} {rd(4)}')
    if v == 'ru': return pick(f'+7 912 {rd(3)}-{rd(2)}-{rd(2)}', f'+7 (495) {rd(3,"23456")}-{rd(2)}-{rd(2)}', f'+7916{rd(7)}')
    if v == 'ar': return pick(f'+971 50 {rd(3,"23456789")} {rd(4)}', f'+966 55 {rd(3,"23456789")} {rd(4)}', f'00971 4 {rd(3,"23456")} {rd(4)}', f'+20 100 {rd(3)} {rd(4)}')
    if v == 'pk': return pick(f'+92 300 {rd(7)}', f'+92-321-{rd(7)}', f'0092 333 {rd(7)}', f'+92 42 3{rd(3)} {rd(4)}')
    if v == 'bd': return pick(f'+880 1712-{rd(6)}', f'+8801819{rd(6)}', f'+880 1911 {rd(6)}')
    if v == 'sea': return pick(f'+65 6{rd(3)} {rd(4)}', f'+65 9{rd(3)} {rd(4)}', f'+94 77 {rd(3)} {rd(4)}', f'+977 98{rd(8)}', f'+60 12-{rd(3,"23456789")} {rd(4)}', f'+61 2 5550 {rd(4)}', f'+61 491 570 {rd(3)}', f'+254 712 {rd(6)}', f'+1-876-555-{rd(4)}'.replace('876','868'))
    if v == 'intl': return v_phone(pick('us','us','uk','uk','de','fr','es','it','pt','nl','ja','cn','ru','ar','pk','bd','sea','sea','sea'))
    raise KeyError(v)
# ---------- card, iban, ssn, ip ----------
def card_raw(k=None):
    k = k or pick('visa','visa','mc','mc','amex','rupay','rupay','disc','mc2')
    p, n = {'visa':('4'+rd(3),16),'mc':('5'+R.choice('12345')+rd(2),16),'mc2':('22'+str(R.randint(30,99)),16),'amex':(pick('34','37')+rd(2),15),'rupay':(pick('6521','6522','6070','6085','5085'),16),'disc':('6011',16),'din':('36'+rd(2),14)}[k]
    s = p + rd(n - 1 - len(p)); return s + luhn_digit(s)
def cardfmt(s, v=None):
    v = v or pick('sp','sp','dash','bare')
    if v == 'bare': return s
    sep = ' ' if v == 'sp' else '-'
    if len(s) == 15: return sep.join((s[:4], s[4:10], s[10:]))
    if len(s) == 14: return sep.join((s[:4], s[4:10], s[10:]))
    return grp(s,4,sep)
def v_card(v):
    if v in ('amex','din'): return cardfmt(card_raw(v))
    return cardfmt(card_raw(), v)
IB = dict(DE=lambda: rd(18), FR=lambda: rd(21)+rd(2), GB=lambda: pick('NWBK','BARC','LOYD','MIDL')+rd(14), NL=lambda: pick('ABNA','INGB','RABO')+rd(10), ES=lambda: rd(20), IT=lambda: R.choice(U)+rd(22),
          CH=lambda: rd(17), AT=lambda: rd(16), BE=lambda: rd(12), PT=lambda: rd(21), IE=lambda: 'AIBK'+rd(14), PL=lambda: rd(24), LU=lambda: rd(16), SE=lambda: rd(20), NO=lambda: rd(11), DK=lambda: rd(14), FI=lambda: rd(14), AE=lambda: rd(19), SA=lambda: rd(20), TR=lambda: rd(5)+'0'+rd(16))
IBLEN = dict(DE=22,FR=27,GB=22,NL=18,ES=24,IT=27,CH=21,AT=20,BE=16,PT=25,IE=22,PL=28,LU=20,SE=24,NO=15,DK=18,FI=18,AE=23,SA=24,TR=26)
def iban_raw(cc=None):
    cc = cc or R.choice(list(IB)); b = IB[cc](); s = cc + iban_check(cc, b) + b
    assert iban_ok(s) and len(s) == IBLEN[cc]; return s
def v_iban(v):
    cc = v if v in IB else None
    s = iban_raw(cc)
    if v == 'bare': return s
    if v == 'lower': return s.lower()
    return grp(s,4,' ') if R.random() < .6 else s
def v_ssn(v):
    a = R.choice([x for x in range(101, 773) if x not in (666, 219, 78, 123)])
    s = f'{a:03d}', f'{R.randint(1,99):02d}', f'{R.randint(1,9999):04d}'
    return {'sp': ' ', 'bare': ''}.get(v, '-').join(s)
def v4():
    k = R.random()
    if k < .2: return f'10.{R.randint(1,254)}.{R.randint(0,254)}.{R.randint(1,254)}'
    if k < .35: return f'192.168.{R.randint(0,254)}.{R.randint(2,254)}'
    if k < .42: return f'172.{R.randint(16,31)}.{R.randint(0,254)}.{R.randint(1,254)}'
    if k < .6: return pick('203.0.113.','198.51.100.') + str(R.randint(1,254))
    return f'{pick(49,103,106,117,122,157,182,27,59,35,52,13,91,185,223,45)}.{R.randint(1,254)}.{R.randint(0,254)}.{R.randint(1,254)}'
def h(n=None): return '%x' % R.randint(1, 0xffff)
def v6():
    return pick(lambda: f'2001:db8:{h()}:{h()}::{h()}', lambda: f'2405:201:{h()}:{h()}:{h()}:{h()}:{h()}:{h()}', lambda: f'fe80::{h()}:{h()}:{h()}:{h()}', lambda: f'2a02:{h()}::{h()}', lambda: f'fd{rs("0123456789abcdef",2)}:{h()}:{h()}::{h()}',
                lambda: f'2001:0db8:{R.randint(0,0xffff):04x}:0000:0000:{R.randint(1,0xffff):04x}:{R.randint(0,0xffff):04x}:{R.randint(1,0xffff):04x}', lambda: f'2001:DB8::{h().upper()}:{h().upper()}', lambda: f'::ffff:{v4()}', lambda: f'2406:da1a:{h()}:{h()}:{h()}::')()
def v_ip(v):
    if v == 'v4' or (not v and R.random() < .7): return v4()
    return v6()
# ---------- secrets: every token is joined at run time ----------
HEX = '0123456789abcdef'; B64 = AN + '+/'; B64U = AN + '-_'
def b62(n, w):
    al = D + U + L; s = ''
    while n: s = al[n % 62] + s; n //= 62
    return s.rjust(w, '0')
def crc_tok(pre):
    b = rs(AN, 30); return pre + b + b62(zlib.crc32(b.encode()), 6)
def b64j(o): return base64.urlsafe_b64encode(json.dumps(o, separators=(',',':')).encode()).rstrip(b'=').decode()
def jwt():
    return '.'.join((b64j({'alg': pick('HS256','RS256'), 'typ': 'JWT'}), b64j({'sub': str(R.randint(1000,99999)), 'role': pick('user','admin','svc'), 'iat': 1700000000 + R.randint(0, 9999999)}), rs(B64U, 43)))
def pem(nl='\n', n=None):
    k = pick('RSA ','EC ','OPENSSH ','','DSA '); lead = {'RSA ':'MIIEow','EC ':'MHcCAQ','OPENSSH ':'b3BlbnNza','':'MIIEvQ','DSA ':'MIIBuw'}[k]
    body = lead + rs(B64, 64 - len(lead)); n = n or R.randint(2, 6)
    rows = [body] + [rs(B64, 64) for _ in range(n)] + [rs(B64, R.choice((22,30,38))) + '==']
    dash = '-' * 5; w = 'PRIV' + 'ATE KEY'
    return nl.join([f'{dash}BEGIN {k}{w}{dash}'] + rows + [f'{dash}END {k}{w}{dash}'])
SEC = dict(
    aws=lambda: pick('AK','AS') + 'IA' + rs('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16), awssec=lambda: rs(B64, 40),
    ghp=lambda: crc_tok('gh' + R.choice('pous') + '_'), ghpat=lambda: 'github' + '_pat_' + rs(AN, 22) + '_' + rs(AN, 59),
    gitlab=lambda: 'gl' + 'pat-' + rs(AN, 17) + rs(B64U[:-2], 3), slack=lambda: 'xo' + R.choice(('xb','xp')) + '-' + rd(12,'12345') + '-' + rd(13,'12345') + '-' + rs(AN, 24),
    stripe=lambda: R.choice(('sk','rk')) + '_li' + 've_' + rs(AN, pick(24, 99)), stripet=lambda: 'sk' + '_te' + 'st_' + rs(AN, 24),
    openai=lambda: 'sk' + '-proj-' + rs(B64U[:-2], 48) + 'T3B' + 'lbkFJ' + rs(AN, 48), openai2=lambda: 'sk' + '-' + rs(AN, 20) + 'T3B' + 'lbkFJ' + rs(AN, 20),
    anth=lambda: 'sk' + '-ant-' + 'api03-' + rs(AN, 1) + rs(B64U, 91) + rs(AN, 1) + 'AA', google=lambda: 'AI' + 'za' + 'Sy' + rs(AN, 32) + rs(AN, 1), gocs=lambda: 'GOC' + 'SPX-' + rs(AN, 28),
    jwt=jwt, npm=lambda: crc_tok('np' + 'm_'), pypi=lambda: 'py' + 'pi-' + 'AgEI' + 'cHlwaS5vcmc' + rs(AN, 90), sendgrid=lambda: 'S' + 'G.' + rs(AN, 22) + '.' + rs(AN, 43),
    twilio=lambda: rs(HEX, 32), twsk=lambda: 'S' + 'K' + rs(HEX, 32), azstore=lambda: base64.b64encode(bytes(R.randrange(256) for _ in range(64))).decode(), azcli=lambda: rs(AN,3) + '8' + 'Q~' + rs(AN, 34),
    hf=lambda: 'h' + 'f_' + rs(string.ascii_letters, 34), tg=lambda: rd(10,'5') + ':' + 'AA' + rs(AN, 33), do=lambda: 'dop' + '_v1_' + rs(HEX, 64), shop=lambda: 'shp' + 'at_' + rs(HEX, 32),
    dapi=lambda: 'da' + 'pi' + rs(HEX, 32), hvs=lambda: 'hv' + 's.' + 'CAES' + rs(AN, 90), gsk=lambda: 'gs' + 'k_' + rs(AN, 52), lin=lambda: 'lin' + '_api_' + rs(AN, 40), mailgun=lambda: 'ke' + 'y-' + rs(HEX, 32),
    gen40=lambda: rs(AN, pick(32, 40, 48)), genhex=lambda: rs(HEX, pick(32, 40, 64)), bearer=lambda: rs(AN, pick(36, 44)), dbpw=lambda: pick(rs(AN, 14), rs(AN, 6) + pick('!','#','$') .replace('#','-').replace('$','_') + rs(AN, 8), rs(AN, 20)),
    pem=pem, pem1=lambda: pem('\\n', 2))
PREFIXED = 'ghp ghpat gitlab slack stripe stripet openai openai2 anth google gocs jwt npm pypi sendgrid hf tg do shop dapi hvs gsk lin twsk mailgun azcli'.split()
_sx = [0]
def v_secret(v):
    if v and '|' in v: v = R.choice(v.split('|'))
    if not v:
        _sx[0] += 1; v = PREFIXED[_sx[0] % len(PREFIXED)]
    while True:
        s = SEC[v]()
        if v in ('awssec','gen40','bearer','dbpw') and (not re.search(r'\d', s) or not re.search('[a-z]', s) or not re.search('[A-Z]', s)): continue
        return s
MAKE = dict(EMAIL=v_email, PHONE=v_phone, IN_AADHAAR=v_aadhaar, IN_PAN=v_pan, IN_UPI=v_upi, IN_GSTIN=v_gstin, IN_IFSC=v_ifsc, IN_VOTER_ID=v_voter, IN_PASSPORT=v_passport,
            IN_DRIVING_LICENCE=v_dl, IN_VEHICLE_REG=v_vehicle, CREDIT_CARD=v_card, IBAN=v_iban, US_SSN=v_ssn, IP_ADDRESS=v_ip, SECRET=v_secret)
SHORT = dict(EMAIL='EMAIL', MAIL='EMAIL', PH='PHONE', PHONE='PHONE', AAD='IN_AADHAAR', PAN='IN_PAN', UPI='IN_UPI', GST='IN_GSTIN', IFSC='IN_IFSC', EPIC='IN_VOTER_ID', PP='IN_PASSPORT', DL='IN_DRIVING_LICENCE',
             VEH='IN_VEHICLE_REG', CARD='CREDIT_CARD', IBAN='IBAN', SSN='US_SSN', IP='IP_ADDRESS', SEC='SECRET')
# ---------- harmless fillers (must hold no entity) ----------
NAMES = {
 'en': ['Kavya Iyer','Rohan Mehta','Emily Hughes','Farhan Shaikh','Sneha Kulkarni','Oliver Turner','Nisha Gill','Gopal Das','Divya Nair','Tom Whitfield'],
 'hi': ['सुनीता वर्मा','राजेश कुमार','अंजलि मिश्रा','मोहन लाल','पूजा सिंह'], 'mr': ['स्नेहल पाटील','अमोल देशमुख','वैशाली जोशी','प्रकाश शिंदे'], 'ta': ['முருகன்','லட்சுமி','கார்த்திக்','செல்வி'],
 'bn': ['অনির্বাণ দত্ত','মৌসুমী ঘোষ','রফিকুল ইসলাম','সুচরিতা বসু'], 'te': ['రమేష్','లక్ష్మి','శ్రీనివాస్','అనిత'], 'gu': ['હિતેશ પટેલ','કિંજલ શાહ','જયેશ મહેતા'], 'kn': ['ಮಂಜುನಾಥ್','ಸವಿತಾ','ರವಿಕುಮಾರ್'],
 'ml': ['അനീഷ്','ശ്രീജ','രാജൻ'], 'pa': ['ਗੁਰਪ੍ਰੀਤ ਕੌਰ','ਹਰਜੀਤ ਸਿੰਘ','ਮਨਪ੍ਰੀਤ'], 'or': ['ସୁଭାଷ ସାହୁ','ପ୍ରିୟଙ୍କା ଦାସ'], 'ur': ['عمران خان','ثنا فاطمہ','ناصر علی'], 'de': ['Lena Vogt','Jonas Becker','Familie Brandt'],
 'fr': ['Claire Moreau','Hugo Lefèvre','M. Dubois'], 'es': ['Lucía Ortega','Mateo Navarro','Sra. García'], 'it': ['Marco Conti','Giulia Rossi'], 'pt': ['Inês Costa','Pedro Silva'], 'nl': ['Daan Visser','Noor Jansen'],
 'ja': ['佐藤','山田'], 'zh': ['王伟','李娜'], 'ru': ['Анна Орлова','Игорь Соколов'], 'ar': ['أحمد','سارة']}
MON = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()
def bad_digits(n, first=None, test=None):
    while True:
        s = rd(n, first)
        if len(set(s)) > 3 and not (test and test(s)): return s
def aad_bad():
    s = aadhaar_raw(); return s[:-1] + str((int(s[-1]) + R.randint(1,9)) % 10)
def card_bad(k=None):
    while True:
        s = card_raw(k); s = s[:-1] + str((int(s[-1]) + R.randint(1,9)) % 10)
        if not any(verhoeff_ok(s[i:i+12]) for i in range(len(s) - 11)): return s
def iban_bad(cc=None):
    while True:
        s = iban_raw(cc or R.choice([c for c in IB if c != 'NO'])); i = R.randrange(4, len(s)); c = s[i]
        if not c.isdigit(): continue
        s = s[:i] + str((int(c) + R.randint(1,9)) % 10) + s[i+1:]
        if not iban_ok(s) and not any(verhoeff_ok(s[k:k+12]) for k in range(4, len(s)-11) if s[k:k+12].isdigit()): return s
def gst_bad():
    s = gstin_raw(); return s[:14] + R.choice([c for c in _36 if c != s[14]])
def ean13():
    s = pick('890','400','501','301') + rd(9); t = sum(int(c) * (1 if i % 2 == 0 else 3) for i, c in enumerate(s)); return s + str((10 - t % 10) % 10)
def isbn():
    s = pick('978','979') + rd(9); t = sum(int(c) * (1 if i % 2 == 0 else 3) for i, c in enumerate(s)); return s + str((10 - t % 10) % 10)
def noluhn(f):
    while True:
        s = f()
        if not luhn_ok(re.sub(r'\D', '', s)): return s
def uuid():
    s = rs(HEX, 12) + '4' + rs(HEX,3) + R.choice('89ab') + rs(HEX,15); return '-'.join((s[:8], s[8:12], s[12:16], s[16:20], s[20:]))
def hexn(n):
    while True:
        s = rs(HEX, n)
        if not re.search(r'\d{9,}', s) and re.search('[a-f]', s): return s
def imei():
    s = pick('35','86','01') + rd(12); return s + luhn_digit(s)
def mask(s, keep=4, ch='X'):
    out = ''; n = sum(c.isalnum() for c in s); i = 0
    for c in s:
        if c.isalnum(): out += c if i >= n - keep else ch; i += 1
        else: out += c
    return out
FILL = dict(
 date=lambda: pick(f'{R.randint(1,28):02d}/{R.randint(1,12):02d}/{R.randint(2023,2026)}', f'{R.randint(1,28)} {R.choice(MON)} {R.randint(2023,2026)}', f'{R.randint(2023,2026)}-{R.randint(1,12):02d}-{R.randint(1,28):02d}'),
 iso=lambda: f'{R.randint(2023,2026)}-{R.randint(1,12):02d}-{R.randint(1,28):02d}', dob=lambda: f'{R.randint(1,28):02d}/{R.randint(1,12):02d}/{R.randint(1958,2004)}', ddot=lambda: f'{R.randint(1,28):02d}.{R.randint(1,12):02d}.{R.randint(2023,2026)}',
 time=lambda: f'{R.randint(8,22):02d}:{R.randint(0,59):02d}', ts=lambda: f'{R.randint(2023,2026)}-{R.randint(1,12):02d}-{R.randint(1,28):02d}T{R.randint(0,23):02d}:{R.randint(0,59):02d}:{R.randint(0,59):02d}Z', sec=lambda: f'{R.randint(0,59):02d}', ms=lambda: '%03d' % R.randint(0,999),
 amt=lambda: pick(f'₹{R.randint(2,95)},{R.randint(0,999):03d}', f'Rs. {R.randint(100,9900)}', f'₹{R.randint(50,999)}.{R.randint(0,99):02d}'), num=lambda: f'{R.randint(1,98)},{R.randint(0,999):03d}.00', eur=lambda: f'{R.randint(10,990)},{R.randint(0,99):02d} €', usd=lambda: f'${R.randint(10,990)}.{R.randint(0,99):02d}',
 n1=lambda: rd(1,'123456789'), n2=lambda: rd(2,'123456789'), n3=lambda: rd(3,'123456789'), n4=lambda: rd(4,'123456789'), n5=lambda: rd(5,'123456789'), n6=lambda: rd(6,'123456789'), pin=lambda: rd(6,'1234567'),
 ref=lambda: pick(f'TKT-{rd(5,"1234")}', f'#{rd(5,"12345")}', f'CASE/{rd(4,"123")}', f'REQ-{rd(4,"123")}'), acct=lambda: pick('3' + rd(10), noluhn(lambda: '5010' + rd(10))), city=lambda: pick('Pune','Kochi','Mysuru','Indore','Nagpur','Jaipur','Surat','Guwahati','Coimbatore','Lucknow'),
 bank=lambda: pick('State Bank of India','HDFC Bank','ICICI Bank','Axis Bank','Canara Bank','Federal Bank'), company=lambda: pick('Sahyadri Foods Pvt Ltd','Kaveri Tech LLP','Lotus Grid Exports','Delta Nine Logistics','Vanguard Mills','Pinewood Clinic'),
 host=lambda: pick('web','api','db','edge','worker') + '-' + pick('01','02','07','blue') , exp=lambda: f'{R.randint(1,12):02d}/{R.randint(27,32)}', cvv=lambda: rd(3), street=lambda: pick('14 Residency Road','Plot 8, Sector 21','2nd Cross, Jayanagar','Lane 5, Koregaon Park','7/2 Park Street'),
 dbh=lambda: pick('db-primary','pg.internal','mysql-01','cache','mongo0.cluster'), user=lambda: pick('app_rw','svc_orders','billing','reporter','etl'), first=lambda: R.choice(FIRST).title(), flow=lambda: R.choice(FIRST), wname=lambda: R.choice(WF).title() + ' ' + R.choice(WL).title(),
 # negatives
 aadbad=lambda: pick(grp(aad_bad(),4,' '), grp(aad_bad(),4,'-'), aad_bad()), aadbad1=lambda: aad_bad(), aad01=lambda: (lambda s: pick(grp(s,4,' '), s))(rd(12,'01')), cardbad=lambda: cardfmt(card_bad()), cardbad1=lambda: card_bad(), amexbad=lambda: cardfmt(card_bad('amex')), ibanbad=lambda: (lambda s: pick(grp(s,4,' '), s))(iban_bad()),
 ibanbadDE=lambda: grp(iban_bad('DE'),4,' '), ibanbadFR=lambda: grp(iban_bad('FR'),4,' '), ibanbadES=lambda: grp(iban_bad('ES'),4,' '), gstbad=gst_bad,
 n7=lambda: rd(7,'123456789'), n8=lambda: rd(8,'123456789'), n9=lambda: rd(9,'12345'), n10=lambda: rd(10,'12345'), n11=lambda: rd(11,'1245'), n12=lambda: bad_digits(12,'12345678',verhoeff_ok), n13=lambda: bad_digits(13,'12356789',luhn_ok), n14=lambda: bad_digits(14,'124567',luhn_ok), n15=lambda: bad_digits(15,'125678',luhn_ok), n16=lambda: bad_digits(16,'1789',luhn_ok), n17=lambda: bad_digits(17,'123456789',luhn_ok), n18=lambda: bad_digits(18,'123456789',luhn_ok), n20=lambda: bad_digits(20,'123456789',luhn_ok), n22=lambda: rd(22,'123456789'), n26=lambda: rd(26,'12345'),
 epoch=lambda: '17' + rd(8), epochms=lambda: '17' + rd(11), epochus=lambda: noluhn(lambda: '17' + rd(14)), epochns=lambda: noluhn(lambda: '17' + rd(17)), ver3=lambda: f'{R.randint(0,24)}.{R.randint(0,30)}.{R.randint(0,20)}', ver4big=lambda: f'{R.randint(10,130)}.0.{R.randint(1000,20000)}.{R.randint(10,4000)}',
 chrome=lambda: f'{R.randint(90,131)}.0.0.0', oid=lambda: pick('1.2.840.113549.1.1.11','1.3.6.1.4.1.311.21.8','1.3.6.1.5.5.7.48.1','1.3.6.1.5.5.7.3.1','1.2.840.10045.4.3.2','2.16.840.1.113730.1.13'), lat=lambda: f'{R.randint(8,34)}.{rd(6)}', lon=lambda: f'{R.randint(68,96)}.{rd(6)}', dec=lambda: f'{R.randint(0,9)}.{rd(pick(10,12,14))}',
 md5=lambda: hexn(32), sha1=lambda: hexn(40), sha256=lambda: hexn(64), short=lambda: hexn(7), uuid=uuid, isbn=isbn, isbnd=lambda: (lambda s: f'{s[:3]}-{s[3:5]}-{s[5:8]}-{s[8:12]}-{s[12]}')(isbn()), ean=lambda: noluhn(ean13), mac=lambda: ':'.join(rs(HEX,2) for _ in range(6)), macd=lambda: '-'.join(rs(HEX,2).upper() for _ in range(6)), hexc=lambda: '#' + pick(rs(HEX,6), rs(HEX,3), rs(HEX,6).upper()), imeid=lambda: (lambda s: f'{s[:2]}-{s[2:8]}-{s[8:14]}-{s[14]}')(imei()),
 arn12=lambda: bad_digits(12,'12345678',verhoeff_ok), ssnbad=lambda: pick(f'000-{rd(2,"1234")}-{rd(4)}', f'666-{rd(2,"1234")}-{rd(4)}', f'9{rd(2)}-0{rd(1,"1234")}-{rd(4)}', f'{rd(3,"1234")}-00-{rd(4)}', f'{rd(3,"1234")}-{rd(2,"1234")}-0000'), ssnshort=lambda: f'{rd(3,"1234")}-{rd(2,"1234")}-{rd(3)}',
 ip999=lambda: pick(f'{R.randint(256,999)}.{R.randint(1,254)}.{R.randint(1,254)}.{R.randint(1,254)}', f'10.{R.randint(256,700)}.{R.randint(1,254)}.{R.randint(1,254)}', f'192.168.{R.randint(256,999)}.{R.randint(1,99)}'), panbad=lambda: rs(U,3) + R.choice('DEIKMNOQRSUVWXYZ') + R.choice(U) + rd(4) + R.choice(U), panlong=lambda: pan_raw() + rs(D,3), ifscbad=lambda: R.choice(BANKS) + R.choice('123456789') + rd(6), ifsclong=lambda: R.choice(BANKS) + '0' + rd(8),
 mka=lambda: pick('XXXX XXXX ' + rd(4), 'XXXX-XXXX-' + rd(4), 'xxxxxxxx' + rd(4), '**** **** ' + rd(4)), mkc=lambda: pick('XXXX XXXX XXXX ' + rd(4), '**** **** **** ' + rd(4), rd(4,'45') + ' XXXX XXXX ' + rd(4), rd(6,'45') + '******' + rd(4), '•••• ' + rd(4)), mkp=lambda: pick(rd(2,'9876') + 'XXXXXX' + rd(2), '+91 ******' + rd(4), rd(2,'98') + '****' + rd(4), '+91-XXXXX-XX' + rd(3)), mkpan=lambda: pick('XXXXX' + rd(4) + R.choice(U), rs(U,2) + 'XXXXXX' + rd(1) + R.choice(U), rs(U,3) + '**' + rd(2) + '**' + R.choice(U)), mkmail=lambda: pick('k***@g****.com', 'ro***n@****.in', 'a*****9@y***o.co.in', 's…@…'), mkssn=lambda: pick('XXX-XX-' + rd(4), '***-**-' + rd(4)), mkiban=lambda: pick('DE** **** **** **** ' + rd(4) + ' **', 'GBXX XXXX ' + 'XXXX XXXX ' + rd(4)), mkupi=lambda: pick('ra****@ok****', 'XXXXXX' + rd(4) + '@****'), mksec=lambda: pick('sk' + '-' + '*' * 24, 'gh' + 'p_' + 'x' * 36, 'AK' + 'IA' + '*' * 16, 'xoxb' + '-' + '*' * 10, 'sk_l' + 'ive_' + '•' * 16),
 b64=lambda: base64.b64encode(R.choice([b'hello world, this is a test', b'the quick brown fox jumps over', b'{"page":2,"size":50,"sort":"asc"}', b'lorem ipsum dolor sit amet'])).decode(), ph=lambda: pick('your-api-key-here','<YOUR_API_KEY>','YOUR_ACCESS_TOKEN','changeme','xxxxxxxxxxxxxxxx','REPLACE_ME','INSERT_TOKEN_HERE','<redacted>','[REDACTED]','${API_KEY}','{{ api_key }}','$API_TOKEN'),
 sri=lambda: 'sha384-' + base64.b64encode(bytes(R.randrange(256) for _ in range(48))).decode(), sri512=lambda: 'sha512-' + base64.b64encode(bytes(R.randrange(256) for _ in range(64))).decode(), pkg=lambda: pick('react','lodash','@types/node','vite','express','@babel/core','zod','esbuild'), pnr=lambda: R.choice(('2','4','1')) + rd(9), sku=lambda: f'{rs(U,2)}-{rd(4)}-{rs(U,1)}{rd(2)}', trk=lambda: pick('1Z' + rs(U+D, 6) + rd(10), 'EA' + rd(9) + 'IN', 'AWB' + rd(11,'123'), 'JD01' + rd(12)),
 # exact shapes for hardneg_ctx
 x_mob=lambda: mob(), x_mobsp=lambda: (lambda m: m[:5] + ' ' + m[5:])(mob()), x_aad=lambda: aadhaar_raw(), x_aadsp=lambda: grp(aadhaar_raw(),4,' '), x_pan=lambda: pan_raw(), x_epic=lambda: epic_raw(), x_pp=lambda: passport_raw(), x_veh=lambda: pick(f'{R.choice(STATES)}{R.randint(1,60):02d}{rs("ABCDEFGH",2)}{rd(4)}', f'{R.choice(STATES)}-{R.randint(1,60):02d}-{rs("ABCDEFGH",2)}-{rd(4)}'), x_ip=lambda: f'{R.randint(1,24)}.{R.randint(0,20)}.{R.randint(0,40)}.{R.randint(1,60)}', x_sec=lambda: f'{R.randint(2,14)}.{R.randint(1,9)}.{R.randint(1,9)}.{R.randint(1,9)}', x_card=lambda: card_raw('visa'), x_imei=lambda: '35' + (lambda b: b + luhn_digit('35' + b))(rd(12)), x_ssn=lambda: v_ssn(None), x_ifsc=lambda: v_ifsc(None), x_hex32=lambda: hexn(32), x_gen=lambda: rs(AN,40), x_us=lambda: f'{rd(3,"23456")}-555-01{rd(2)}', x_epic2=lambda: epic_raw(), x_dl=lambda: f'{R.choice(STATES)}{R.randint(1,60):02d}{R.randint(2001,2023)}{rd(7)}', x_land=lambda: '0' + rd(2,'2348') + '-' + rd(8,'2345'), x_hexv6=lambda: v6())
