-- La même question avant optimisation : le thème est cherché ligne par ligne, par un calcul qui écarte la clé.
-- The same question before its optimization: the topic is looked for row by row, by an expression that hides the key.
SELECT
  question.qid AS qid,
  question.body AS body,
  (SELECT tag.name FROM tag WHERE tag.id + 0 = question.tag_id) AS tag,
  question.lvl AS lvl,
  strftime('%Y-%m-%dT%H:%M:%SZ', question.created, 'unixepoch') AS created,
  question.author AS author
FROM question
ORDER BY question.qid
