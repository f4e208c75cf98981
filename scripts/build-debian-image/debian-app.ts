/**
 * The program of CI's Debian image: a small analysis service. It compares the licence texts beside it by the words
 * they use (a weighted term-document matrix, its singular value decomposition, a tree of kinship), then says `ready` and waits.
 */
export const debianApp = `#!/usr/bin/python3
import pathlib
import re
import signal

import lxml.etree
import networkx
import numexpr
import numpy
import pandas

texts = sorted(pathlib.Path("/app/texts").iterdir())
counts = pandas.DataFrame(
    {text.name: pandas.Series(re.findall(r"[a-z]{3,}", text.read_text(errors="replace").lower())).value_counts()
     for text in texts}
).fillna(0)
print(f"loaded {len(texts)} texts, {len(counts)} words", flush=True)
matrix = counts.to_numpy()
rarity = numpy.log(len(texts) / (matrix > 0).sum(axis=1))[:, None]
weights = numexpr.evaluate("log1p(matrix) * rarity")
_, strengths, directions = numpy.linalg.svd(weights, full_matrices=False)
places = (strengths[:, None] * directions)[:3].T
kin = networkx.Graph()
for i, one in enumerate(texts):
    for j, other in enumerate(texts[:i]):
        kin.add_edge(one.name, other.name, weight=float(numpy.linalg.norm(places[i] - places[j])))
tree = networkx.minimum_spanning_tree(kin)
page = lxml.etree.Element("kinship")
for one, other, edge in sorted(tree.edges(data=True)):
    lxml.etree.SubElement(page, "edge", {"from": one, "to": other, "distance": f"{edge['weight']:.2f}"})
print(f"strongest direction {strengths[0]:.1f}, {len(lxml.etree.tostring(page))} bytes of XML", flush=True)
print("ready", flush=True)
signal.pause()
`;
