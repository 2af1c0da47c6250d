-- The name of the part is a value: no place of a statement takes it as one but this.
ALTER TABLE novafeed.{table:Identifier} DROP PART {part:String}
