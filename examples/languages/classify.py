"""Says in which language each line of a text is, with the model that py3langid ships: texts.tsv in, /out/languages.tsv and /out/report.txt out.

A line of texts.tsv is a language code, a tab and a sentence. The code is what somebody says that it is: the model never sees it, and
is held against it.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from py3langid.langid import MODEL_FILE, LanguageIdentifier

OUT = Path(os.environ.get("LANGUAGES_OUT", "/out"))

model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
lines = [line.split("\t", 1) for line in Path("texts.tsv").read_text(encoding="utf-8").splitlines() if "\t" in line]
found = [model.classify(text) for _, text in lines]

rows = [
    f"{said}\t{language}\t{certainty:.3f}\t{text}"
    for (said, text), (language, certainty) in zip(lines, found, strict=True)
]
(OUT / "languages.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")

right = sum(said == language for (said, _), (language, _) in zip(lines, found, strict=True))
confused = Counter((said, language) for (said, _), (language, _) in zip(lines, found, strict=True) if said != language)
report = [
    f"{right} of {len(lines)} sentences in {len({said for said, _ in lines})} languages are right: {100 * right / len(lines):.1f} %"
]
report += [f"{said} taken for {language}: {count}" for (said, language), count in sorted(confused.items())]
(OUT / "report.txt").write_text("\n".join(report) + "\n", encoding="utf-8")
