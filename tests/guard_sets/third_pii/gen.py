"""The third set for personal data: prints JSON lines, always the same ones. See ../README.md."""
import glob, json, os, re, sys
os.chdir(os.path.dirname(os.path.abspath(__file__)))
import values as V
from values import R, MAKE, SHORT, NAMES, FILL, nat
NATIVE = {'hi':'deva','mr':'deva','ta':'taml','bn':'beng','te':'telu','gu':'gujr','kn':'knda','ml':'mlym','pa':'guru','or':'orya','ur':'urdu'}
NATOK = {'PHONE','IN_AADHAAR','CREDIT_CARD'}
SLOT = re.compile(r'«([A-Za-z_0-9]+)(?::([^@»]*))?(?:@(\w+))?»')
seen = set(); out = []; mobs = set()
def build(tpl, lang, tier, native=False):
    text = ''; ents = []; pos = 0
    for m in SLOT.finditer(tpl):
        text += tpl[pos:m.start()]; pos = m.end(); k, v, scr = m.groups()
        if k in SHORT:
            t = SHORT[k]; val = MAKE[t](v)
            if scr: val = nat(val, scr)
            elif native and t in NATOK: val = nat(val, NATIVE[lang])
            ents.append({'type': t, 'start': len(text), 'end': len(text) + len(val), 'text': val}); text += val
        elif k == 'name': text += R.choice(NAMES.get(lang) or NAMES['en'])
        else: text += FILL[k]()
    text += tpl[pos:]
    return text, ents
def load_lines(fn, lang=None):
    for ln in open(f'templates/{fn}', encoding='utf-8'):
        ln = ln.rstrip('\n')
        if not ln: continue
        if lang: k, t = ln.split('|', 1); yield lang, k, t.replace('\\n', '\n')
        else: l, k, t = ln.split('|', 2); yield l, k, t.replace('\\n', '\n')
def load_blocks(fn):
    cur = None
    for ln in open(f'templates/{fn}', encoding='utf-8'):
        if ln.startswith('%%%%'):
            if cur: yield cur[0], cur[1], ''.join(cur[2]).rstrip('\n')
            _, l, k = ln.split(); cur = (l, k, [])
        else: cur[2].append(ln)
    yield cur[0], cur[1], ''.join(cur[2]).rstrip('\n')
P = []
for f in sorted(glob.glob('templates/pos_*.txt')):
    lang = os.path.basename(f)[4:-4]; P += list(load_lines(os.path.basename(f), lang))
S = list(load_blocks('shapes.txt')); N = list(load_lines('hardneg.txt')); C = list(load_lines('ctx.txt'))
def counts(T, total, lo=1):
    n, r = divmod(total, len(T)); idx = list(range(len(T))); R.shuffle(idx); ex = set(idx[:r])
    return [n + (i in ex) for i in range(len(T))]
NPOS, NNEG, NCTX = 1365, 682, 153
def emit(T, cnt, tier):
    for ti, ((lang, kind, tpl), n) in enumerate(zip(T, cnt)):
        for j in range(n):
            for _ in range(60):
                nv = lang in NATIVE and NATOK & {SHORT.get(m.group(1)) for m in SLOT.finditer(tpl)} != set() and (j % 2 == 1 or R.random() < .1)
                text, ents = build(tpl, lang, tier, nv)
                if tier != 'pos':
                    if lang in NATIVE and lang != 'or' and kind != 'code' and R.random() < .3 and re.search(r'«(x_mob|x_aad|n12|n13|aadbad|pnr)»', tpl): text = nat(text, NATIVE[lang])
                if text not in seen: break
            else: break
            seen.add(text); out.append(dict(id='', text=text, entities=ents, lang=lang, kind=kind, tier=tier, source='third-author', tpl=ti))
cS = [3] * len(S); emit(S, cS, 'pos'); emit(P, counts(P, NPOS - sum(cS)), 'pos')
emit(N, counts(N, NNEG), 'hardneg'); emit(C, counts(C, NCTX), 'hardneg_ctx')
def top(tier, T, want):
    cand = [t for t in T if '«' in t[2]]
    while (d := want - sum(o['tier'] == tier for o in out)) > 0:
        emit([R.choice(cand) for _ in range(d)], [1] * d, tier)
top('pos', P, NPOS); top('hardneg', N, NNEG); top('hardneg_ctx', C, NCTX)
R.shuffle(out)
sys.stdout.reconfigure(encoding='utf-8', newline='\n')
for i, o in enumerate(out):
    o.pop('tpl')
    o['id'] = f'c-{i+1:05d}'
    print(json.dumps(o, ensure_ascii=False))
