-- goal.fr: les questions posées sur le site de l'école (base SQLite), une ligne par question
-- goal.en: questions asked on the school's site (SQLite database), one row a question
-- selection.fr: numéro, texte, thème, niveau, instant et adresse de la personne
-- selection.en: number, text, topic, level, moment and the person's address
-- filters.fr: aucun : une question sans thème doit arriver à la préparation, qui l'écarte avec sa raison
-- filters.en: none: a question without a topic must reach the preparation, which sets it aside with its reason
-- joins.fr: tag, en LEFT JOIN : une jointure simple ferait disparaître sans bruit les questions sans thème
-- joins.en: tag, by LEFT JOIN: a plain join would drop questions without a topic silently
-- optimization.fr: une jointure sur la clé de tag, au lieu d'une sous-requête par ligne qui relit la table tag
-- optimization.en: a join on the key of tag, instead of a subquery for each row that reads tag again
-- before: before/questions.sql
--
-- qid      numéro de la question, unique dans cette base
-- body     texte tel que tapé ; peut être vide (NULL)
-- tag      nom du thème choisi dans la liste du site ; NULL si la question n'en a pas
-- lvl      niveau : N1 (débutant), N2 (intermédiaire), N3 (avancé)
-- created  instant de la question : la base garde des secondes depuis 1970 (UTC), on rend une date ISO 8601
-- author   adresse de la personne
--
-- LEFT JOIN et non JOIN : une question sans thème doit arriver jusqu'à la préparation, qui la met en quarantaine
-- avec sa raison. Une jointure simple la ferait disparaître sans bruit.
SELECT
  question.qid AS qid,
  question.body AS body,
  tag.name AS tag,
  question.lvl AS lvl,
  strftime('%Y-%m-%dT%H:%M:%SZ', question.created, 'unixepoch') AS created,
  question.author AS author
FROM question
LEFT JOIN tag ON tag.id = question.tag_id
ORDER BY question.qid
