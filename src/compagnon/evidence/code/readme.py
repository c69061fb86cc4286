"""What an export says of itself: its README in both languages, and the explanation before each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compagnon.spec.model import Spec, text_of

COLLECT = (
    "## 1. Collecter\n\nChaque source est lue comme l'exécution l'a lue (encodage, séparateur, types). Rien n'est "
    "corrigé ici : les lignes sont gardées telles quelles dans `raw/`, chacune avec un nom stable (`_row_id`)."
)
PREPARE = (
    "## 2. Préparer\n\nLes règles de `solution.yaml`, en SQL : nettoyer, lire les nombres et les dates, ramener les "
    "valeurs à une liste, rejeter avec une raison, écarter les doublons. Les fichiers `prepare_TABLE.sql` se lisent de "
    "haut en bas. À la sortie, les données personnelles sont masquées ou remplacées par un pseudonyme."
)


def train(name: str, family: str) -> str:
    return (
        f"## 3. Entraîner `{name}`\n\nLa famille retenue par l'exécution, `{family}`, en scikit-learn : même partage, "
        "mêmes plis, même graine. Les plis servent à choisir et à régler la température ; la partie de test ne sert "
        "qu'à mesurer. Les mesures affichées sont celles de l'exécution."
    )


def predict(name: str) -> str:
    return (
        f"## 4. Prédire avec `{name}`\n\nLe paquet scellé (`models/{name}`) avec ONNX Runtime : l'empreinte du modèle "
        "est vérifiée, les entrées sont préparées comme à l'entraînement, et sous le seuil déclaré une personne décide."
    )


def title(spec: Spec) -> str:
    name = text_of(spec.title, "fr") or spec.name
    return f"# {name}\n\nLe code derrière les exécutions de cette solution. Il tourne sans Compagnon."


_FR = """# {name} : le code derrière les exécutions

*([English below](#english))*

Ce dossier refait sans Compagnon ce que ses exécutions ont fait : mêmes lignes, même modèle, mêmes mesures.

```console
$ python -m venv .venv && .venv/bin/pip install -r requirements.txt
{commands}
```

| fichier | ce qu'il fait |
|---|---|
{rows_fr}
| `helpers/` | petites fonctions recopiées de Compagnon (casse et accents, masques, partage) |
| `requirements.txt` | les bibliothèques, dans les versions que les exécutions ont notées |

- Les sources sont lues dans le dossier de la solution ; `SOLUTION=/autre/chemin` en désigne un autre.
{variables_fr}- `raw/` et `quarantine/` peuvent contenir des données personnelles en clair : ne les partagez pas.
{notes_fr}
## English

This folder does again, without Compagnon, what its runs did: the same rows, the same model, the same figures. The
commands are those above.

| file | what it does |
|---|---|
{rows_en}
| `helpers/` | small functions copied from Compagnon (case and accents, masks, split) |
| `requirements.txt` | the libraries, in the versions that the runs recorded |

- Sources are read from the folder of the solution; `SOLUTION=/another/path` names another.
{variables_en}- `raw/` and `quarantine/` may hold personal data in the clear: do not share them.
"""
_DOES = {
    "1_collect": ("lit les sources, écrit `raw/`", "reads the sources, writes `raw/`"),
    "2_prepare": (
        "applique `prepare_TABLE.sql`, écrit `tables/` et `quarantine/`",
        "applies `prepare_TABLE.sql`, writes `tables/` and `quarantine/`",
    ),
    "3_train": ("entraîne et mesure", "trains and measures"),
    "4_predict": ("prédit avec le paquet scellé", "predicts with the sealed package"),
}


def write(
    spec: Spec, scripts: Mapping[str, object], variables: Sequence[str], notes: Sequence[str], as_notebook: bool
) -> str:
    """README.md, French first."""
    rows = {0: "", 1: ""}
    for language in rows:
        lines = []
        for script in scripts:
            does = next(words for start, words in _DOES.items() if script.startswith(start))
            lines.append(f"| `{script}` | {does[language]} |")
        if as_notebook:
            said = ("les mêmes étapes dans un carnet Jupyter", "the same steps in a Jupyter notebook")[language]
            lines.append(f"| `{spec.name}.ipynb` | {said} |")
        rows[language] = "\n".join(lines)
    named = ", ".join(f"`{variable}`" for variable in variables)
    secret_fr = f"- À donner par l'environnement, jamais écrits ici : {named}.\n" if variables else ""
    secret_en = f"- To be given by the environment, never written here: {named}.\n" if variables else ""
    return _FR.format(
        name=spec.name,
        commands="\n".join(f"$ .venv/bin/python {script}" for script in scripts),
        rows_fr=rows[0],
        rows_en=rows[1],
        variables_fr=secret_fr,
        variables_en=secret_en,
        notes_fr="".join(f"- {note}\n" for note in notes),
    )
